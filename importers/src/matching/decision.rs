//! Where one column goes.

use hayward_domain::schema::FieldName;
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Where one column goes: on the wire `"name"`, `{"private": true}` or `{"leave_out": true}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// To a field of the schema.
    Field(FieldName),
    /// Kept and compared, and never shareable.
    Private,
    /// Nowhere.
    LeaveOut,
}

impl Serialize for Decision {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mark = match self {
            Self::Field(name) => return serializer.serialize_str(name.as_str()),
            Self::Private => "private",
            Self::LeaveOut => "leave_out",
        };
        let mut map = serializer.serialize_map(Some(1))?;
        map.serialize_entry(mark, &true)?;
        map.end()
    }
}

impl<'de> Deserialize<'de> for Decision {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Name(String),
            Mark(Mark),
        }

        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Mark {
            #[serde(default)]
            private: bool,
            #[serde(default)]
            leave_out: bool,
        }

        match Written::deserialize(deserializer)? {
            Written::Name(name) => {
                FieldName::parse(&name).map(Self::Field).ok_or_else(|| de::Error::custom("not the name of a field"))
            }
            Written::Mark(Mark { private: true, leave_out: false }) => Ok(Self::Private),
            Written::Mark(Mark { private: false, leave_out: true }) => Ok(Self::LeaveOut),
            Written::Mark(_) => Err(de::Error::custom("expected a field's name, {\"private\": true} or {\"leave_out\": true}")),
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may fail loudly")]
    use super::*;

    #[test]
    fn a_decision_has_the_words_of_the_contract() {
        for text in [r#""name""#, r#"{"private":true}"#, r#"{"leave_out":true}"#] {
            let decision: Decision = serde_json::from_str(text).unwrap();
            assert_eq!(serde_json::to_string(&decision).unwrap(), text);
        }
        for text in [r#""Not A Name""#, r#"{"private":false}"#, r#"{"private":true,"leave_out":true}"#, r#"{"hide":true}"#, "17"]
        {
            assert!(serde_json::from_str::<Decision>(text).is_err(), "{text}");
        }
    }
}

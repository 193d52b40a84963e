//! What later versions of a schema take away from what was agreed under an earlier one. They never add anything.
//!
//! * A field stays itself as long as every version has it with the same type. One that is gone and comes back, or has another type, is
//!   another field under the same name: what was agreed about the old one does not bind to it.
//! * A field that any later version never shares is closed at once, wherever the dataset stands. One that is gone is closed once the
//!   dataset has gone on to the version without it.
//! * A field counts as harmful as the version says that thinks worst of it, and whoever said no under one version said no.

use super::{FieldName, Schema, Sensitivity};

impl Schema {
    /// This version as it binds what was agreed under it: less whatever the `later` versions, in their order, took away. The dataset
    /// stands at version `reached`.
    #[must_use]
    pub fn under<'a>(&self, later: impl IntoIterator<Item = &'a Self> + Clone, reached: i64) -> Self {
        let mut bound = self.clone();
        for field in &mut bound.fields {
            for version in later.clone() {
                if !self.keeps(&field.name, version) {
                    if version.version <= reached {
                        field.sensitivity = Sensitivity::Never;
                        bound.closed.insert(field.name.clone());
                    }
                    break;
                }
                let now = version.field(field.name.as_str()).map_or(field.sensitivity, |now| now.sensitivity);
                if now == Sensitivity::Never {
                    bound.closed.insert(field.name.clone());
                }
                field.sensitivity = field.sensitivity.max(now);
            }
        }
        for consent in later.into_iter().flat_map(|version| &version.consent) {
            if !bound.consent.contains(consent) {
                bound.consent.push(consent.clone());
            }
        }
        bound
    }

    /// Whether the next version has the field `name` with the same type.
    #[must_use]
    pub fn keeps(&self, name: &FieldName, next: &Self) -> bool {
        let written = |schema: &Self| schema.document.pointer(&format!("/properties/{name}/type")).cloned();
        match (self.field(name.as_str()), next.field(name.as_str())) {
            (Some(before), Some(after)) => before.kind == after.kind && written(self) == written(next),
            (None, _) | (_, None) => false,
        }
    }

    /// The fields of this version that are not the same ones in the last of the `later` versions.
    #[must_use]
    pub fn lost<'a>(&self, later: impl IntoIterator<Item = &'a Self> + Clone) -> Vec<FieldName> {
        let kept = |name: &FieldName| later.clone().into_iter().all(|version| self.keeps(name, version));
        self.fields.iter().map(|field| field.name.clone()).filter(|name| !kept(name)).collect()
    }
}

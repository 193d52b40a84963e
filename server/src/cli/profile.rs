//! Where the command line remembers commons and the tokens for them: one file of the user's own, mode 0600.
//!
//! It is written whole or not at all, and never printed. Whoever can read it can do what its tokens can.

use std::collections::BTreeMap;
use std::fmt;
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// One commons, as somebody signed in at it.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// Where it is: `https://commons.example`.
    pub url: String,
    /// What opens it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_token: Option<String>,
    /// When that stops working, in seconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<i64>,
    /// What another access token is to be had for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh_token: Option<String>,
    /// As which program the command line signed in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
}

// By hand: a derived `Debug` would put tokens in logs.
impl fmt::Debug for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Profile({})", self.url)
    }
}

/// Every commons that is remembered, by the name it was given.
#[derive(Debug)]
pub struct Profiles {
    path: PathBuf,
    all: BTreeMap<String, Profile>,
}

impl Profiles {
    /// Reads what is remembered: nothing, where there is no file yet.
    ///
    /// # Errors
    /// A sentence, if the file cannot be read, or others can read it too.
    pub fn open() -> Result<Self, String> {
        let folder = folder(std::env::var_os("XDG_CONFIG_HOME"), std::env::var_os("HOME"))?;
        Self::open_at(folder.join("hayward").join("profiles.json"))
    }

    fn open_at(path: PathBuf) -> Result<Self, String> {
        let unreadable = |error: &dyn fmt::Display| format!("{} cannot be read: {error}", path.display());
        let meta = match path.metadata() {
            Ok(meta) => meta,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Self { path, all: BTreeMap::new() }),
            Err(error) => return Err(unreadable(&error)),
        };
        if meta.permissions().mode() & 0o077 != 0 {
            return Err(format!("others can read {}, which holds tokens; `chmod 600` it", path.display()));
        }
        let text = std::fs::read_to_string(&path).map_err(|error| unreadable(&error))?;
        // What the parser says may quote a token.
        let all = serde_json::from_str(&text).map_err(|_| unreadable(&"it is no list of profiles"))?;
        Ok(Self { path, all })
    }

    /// The commons of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Profile> {
        self.all.get(name)
    }

    /// Remembers `profile` under this name, or forgets what was there.
    ///
    /// # Errors
    /// A sentence, if the file cannot be written.
    pub fn keep(&mut self, name: &str, profile: Option<Profile>) -> Result<(), String> {
        match profile {
            Some(profile) => drop(self.all.insert(name.to_owned(), profile)),
            None => drop(self.all.remove(name)),
        }
        let folder = self.path.parent().unwrap_or(Path::new("."));
        let unwritable = |error: std::io::Error| format!("{} cannot be written: {error}", self.path.display());
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(unwritable)?;
        let text = serde_json::to_string_pretty(&self.all).map_err(|error| error.to_string())?;
        // A temporary file is its owner's alone from the first byte on.
        let mut file = tempfile::NamedTempFile::new_in(folder).map_err(unwritable)?;
        file.write_all(text.as_bytes()).and_then(|()| file.as_file().sync_all()).map_err(unwritable)?;
        file.persist(&self.path).map_err(|error| unwritable(error.error))?;
        Ok(())
    }
}

/// The folder of a user's settings (XDG Base Directory Specification): a relative path there counts for nothing.
fn folder(config: Option<std::ffi::OsString>, home: Option<std::ffi::OsString>) -> Result<PathBuf, String> {
    let absolute = |path: Option<std::ffi::OsString>| path.map(PathBuf::from).filter(|path| path.is_absolute());
    let of_home = || absolute(home).map(|home| home.join(".config"));
    absolute(config).or_else(of_home).ok_or_else(|| "there is no HOME to keep profiles in".to_owned())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test stops where it is surprised")]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::{Profile, Profiles};

    #[test]
    fn tokens_are_kept_for_their_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("hayward").join("profiles.json");
        let mut profiles = Profiles::open_at(path.clone()).unwrap();
        assert!(profiles.get("default").is_none());
        let profile = Profile {
            url: "https://commons.example".to_owned(),
            access_token: Some("hwt_secret".to_owned()),
            expires_at: Some(1),
            refresh_token: None,
            client_id: None,
        };
        assert!(!format!("{profile:?}").contains("secret"));
        profiles.keep("default", Some(profile)).unwrap();
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(path.parent().unwrap().metadata().unwrap().permissions().mode() & 0o777, 0o700);
        let again = Profiles::open_at(path.clone()).unwrap();
        assert_eq!(again.get("default").unwrap().access_token.as_deref(), Some("hwt_secret"));
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        assert!(Profiles::open_at(path.clone()).unwrap_err().contains("chmod 600"));
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        profiles.keep("default", None).unwrap();
        assert!(Profiles::open_at(path).unwrap().get("default").is_none());
    }
}

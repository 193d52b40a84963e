//! What the commons has decided about itself.

use std::time::Duration;

use hayward_store::{Settings, Store};
use serde_json::json;

use super::{AdminError, Answer, SettingsCommand};

pub(super) fn run(store: &Store, command: SettingsCommand) -> Result<Answer, AdminError> {
    let mut settings = store.read_settings()?;
    let SettingsCommand::Set { name, time_zone, grace_minutes, client_limit, address_limit } = command else {
        return Ok(said(&settings));
    };
    if let Some(name) = name {
        if name.trim().is_empty() || name.chars().count() > 200 || name.contains('\0') {
            return Err(AdminError::Input("the name of a commons has 1 to 200 characters and no NUL".to_owned()));
        }
        settings.name = name;
    }
    if let Some(zone) = time_zone {
        settings.time_zone = zone.parse().map_err(|_| {
            AdminError::Input(format!("`{zone}` is not a time zone; there are `UTC`, `Europe/Madrid` and the like"))
        })?;
    }
    if let Some(minutes) = grace_minutes {
        settings.grace = Duration::from_secs(u64::from(minutes) * 60);
    }
    settings.client_limit = client_limit.unwrap_or(settings.client_limit);
    settings.address_limit = address_limit.unwrap_or(settings.address_limit);
    store.write_settings(&settings)?;
    Ok(said(&settings).did("settings set", "-"))
}

fn said(settings: &Settings) -> Answer {
    let (zone, minutes) = (settings.time_zone.name(), settings.grace.as_secs() / 60);
    let Settings { name, client_limit, address_limit, .. } = settings;
    Answer::new(
        format!(
            "`{name}` counts its days in {zone}, and what is agreed can be taken back for {minutes} minutes; a program may make \
            {client_limit} requests a second, an address without a token {address_limit}"
        ),
        json!({
            "name": name, "time_zone": zone, "grace_minutes": minutes,
            "client_limit": client_limit, "address_limit": address_limit,
        }),
    )
}

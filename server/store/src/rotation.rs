//! Replacing the commons' keys, in the database's half of it.
//!
//! * Every agreement's secret, and that of every second step of signing in, is enclosed anew, the note of whose keys these are moves, and the retired signing key is kept, in one
//!   transaction. The key file is the caller's, who writes the new one beside the old before, and puts it in its place after.
//! * The secrets themselves stay: pseudonyms and pseudonymous ids do not change. The key of record ids never does.
//! * A server that still runs with the former keys makes no agreement ([`Store::keys_stand`]): nothing is enclosed by a key that is
//!   gone.

use hayward_domain::id::AgreementId;
use hayward_domain::moment::Moment;
use serde::Serialize;

use crate::conn::{Conn, Eyes};
use crate::error::{Result, StoreError};
use crate::keys::Keyring;
use crate::sql::{Sql, Word, rows};
use crate::{SecretRow, Store, counter, second_steps};

/// Under which name the settings keep the print of the commons' keys.
pub const KEY_PRINT: &str = "key_print";

/// A key that signed checkpoints once.
#[derive(Clone, Debug, Serialize)]
pub struct RetiredKey {
    /// Its public half.
    pub key: String,
    /// The public half of the key that came after it.
    pub successor: String,
    /// Its signature over the successor.
    pub signature: String,
    /// When.
    pub retired_at: String,
}

rows! {
    RetiredRow { key: String, successor: String, signature: String, retired_at: i64 }
}

impl Store {
    /// Moves the database from this store's keys to `fresh`, keeping `retired` where the signing key changes. Returns how many
    /// secrets were enclosed anew.
    ///
    /// # Errors
    /// [`StoreError::Refused`] where the database has other keys meanwhile.
    pub fn rotate_keys(&self, fresh: &Keyring, retired: Option<&RetiredKey>) -> Result<usize> {
        let now = (self.clock)();
        self.db.write(|conn| {
            // Proposals take the same lock: none is under way now.
            counter::commit(conn)?;
            self.keys_stand(conn)?;
            let agreements = conn.load::<SecretRow>(Sql::new("select id, secret from agreements where secret is not null"))?;
            let count = agreements.len() + second_steps::rewrap(conn, &self.keyring, fresh)?;
            for row in agreements {
                let id = AgreementId::parse(&row.id).ok_or(StoreError::Corrupt("an agreement"))?;
                let secret = fresh.rewrap(&self.keyring, &id, &row.secret.unwrap_or_default())?;
                conn.execute(Sql::new("update agreements set secret = ? where id = ?").bind(secret).bind(row.id))?;
            }
            let print = "update settings set value = ? where name = ?";
            conn.execute(Sql::new(print).bind(fresh.print()).bind(KEY_PRINT))?;
            if let Some(retired) = retired {
                // An earlier try may have come this far and no further.
                let insert = "insert into retired_keys (key, successor, signature, retired_at) values (?, ?, ?, ?)
                    on conflict (key) do update set successor = excluded.successor, signature = excluded.signature,
                    retired_at = excluded.retired_at";
                let insert = Sql::new(insert).bind(&retired.key).bind(&retired.successor).bind(&retired.signature);
                conn.execute(insert.bind(now))?;
            }
            Ok(count)
        })
    }

    /// The keys that signed checkpoints before, the newest first.
    ///
    /// # Errors
    /// Only the database's.
    pub fn retired_keys(&self) -> Result<Vec<RetiredKey>> {
        let select = Sql::new("select key, successor, signature, retired_at from retired_keys order by retired_at desc");
        let rows = self.db.read(Eyes::Own, |conn| conn.load::<RetiredRow>(select))?;
        let read = |row: RetiredRow| RetiredKey {
            key: row.key,
            successor: row.successor,
            signature: row.signature,
            retired_at: Moment(row.retired_at).to_rfc3339(),
        };
        Ok(rows.into_iter().map(read).collect())
    }

    /// Checks that the keys were not replaced since this program started.
    pub(crate) fn keys_stand(&self, conn: &mut Conn) -> Result<()> {
        let select = Sql::new("select value from settings where name = ?").bind(KEY_PRINT);
        match conn.first::<Word>(select)? {
            Some(row) if row.value != self.keyring.print() => {
                Err(StoreError::Unavailable("the keys were rotated; this server has to be started again".to_owned()))
            }
            Some(_) | None => Ok(()),
        }
    }
}

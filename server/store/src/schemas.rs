//! The schemas of a commons: the four that come with the program, and what its operator registers.

use hayward_domain::schema::Schema;
use serde_json::Value;

use crate::conn::{Conn, Eyes};
use crate::error::{Result, StoreError};
use crate::sql::{Number, Sql, Word, rows};
use crate::{DocumentRow, Store, counter};

rows! {
    CollectionRow { collection: String }
}

impl Store {
    /// Registers a version of a schema. The same document again is no new version.
    ///
    /// # Errors
    /// [`StoreError::Refused`] where the version is not the next, the collection is another schema's, or the document differs from
    /// what is registered under this version.
    pub fn register_schema(&self, schema: &Schema) -> Result<()> {
        let now = (self.clock)();
        let document = schema.document.to_string();
        // Every start of the program says what it brings along: mostly there is nothing to write, and no commit to take.
        if self.db.read(Eyes::Own, |conn| self.registered(conn, schema))? {
            return Ok(());
        }
        let registered = self.db.write(|conn| {
            // Agreements may show less from this commit on.
            let number = counter::commit(conn)?;
            if self.registered(conn, schema)? {
                return Ok(());
            }
            let newest = "select coalesce(max(version), 0) as value from schemas where name = ?";
            let newest = conn.one::<Number>(Sql::new(newest).bind(&schema.name))?.value;
            if schema.version != newest + 1 {
                return Err(StoreError::refused("version-gap", format!("the next version of this schema is {}", newest + 1)));
            }
            let other = "select name as value from schemas where collection = ? and name <> ?";
            if conn.first::<Word>(Sql::new(other).bind(&schema.collection).bind(&schema.name))?.is_some() {
                return Err(StoreError::refused("collection-taken", "another schema has this collection"));
            }
            let renamed = "select name as value from schemas where name = ? and collection <> ?";
            if conn.first::<Word>(Sql::new(renamed).bind(&schema.name).bind(&schema.collection))?.is_some() {
                return Err(StoreError::refused("collection-changed", "a schema keeps its collection over its versions"));
            }
            if newest > 0 {
                let before = self.schema_at(conn, &schema.name, newest)?;
                if before.consent.iter().any(|field| !schema.consent.contains(field) || !before.keeps(field, schema)) {
                    let detail = "the field by which people say no stays what it is: what they said no to would be opened";
                    return Err(StoreError::refused("consent-dropped", detail));
                }
            }
            self.under_another_ceiling(conn, number, None, &schema.name, |conn| {
                let insert = "insert into schemas (name, version, collection, document, registered_at) values (?, ?, ?, ?, ?)";
                let insert = Sql::new(insert).bind(&schema.name).bind(schema.version).bind(&schema.collection);
                conn.execute(insert.bind(document.as_str()).bind(now)).map(drop)
            })
        });
        if registered.is_err() {
            // What was not written must not be remembered either.
            self.forget_schema(&schema.name, schema.version);
        }
        registered
    }

    /// Whether this very document is registered under its version.
    fn registered(&self, conn: &mut Conn, schema: &Schema) -> Result<bool> {
        let same = "select document from schemas where name = ? and version = ?";
        let Some(row) = conn.first::<DocumentRow>(Sql::new(same).bind(&schema.name).bind(schema.version))? else {
            return Ok(false);
        };
        let known: Value = serde_json::from_str(&row.document).map_err(|_| StoreError::Corrupt("a schema"))?;
        if known == *schema.document {
            return Ok(true);
        }
        Err(StoreError::refused("version-taken", "this version is registered with another document; raise the version"))
    }

    /// The newest version of every schema, by name.
    ///
    /// # Errors
    /// Only the database's.
    pub fn schemas(&self) -> Result<Vec<Value>> {
        let select = "select document from schemas s where version = (select max(version) from schemas t where t.name = s.name)
            order by name";
        let rows = self.db.read(Eyes::Own, |conn| conn.load::<DocumentRow>(Sql::new(select)))?;
        rows.iter().map(|row| serde_json::from_str(&row.document).map_err(|_| StoreError::Corrupt("a schema"))).collect()
    }

    /// The newest version of one schema.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if there is none of this name.
    pub fn schema(&self, name: &str) -> Result<std::sync::Arc<Schema>> {
        self.db.read(Eyes::Own, |conn| {
            let newest = "select coalesce(max(version), 0) as value from schemas where name = ?";
            let newest = conn.one::<Number>(Sql::new(newest).bind(name))?.value;
            self.schema_at(conn, name, newest)
        })
    }

    /// The words that schemas stand under in URLs.
    ///
    /// # Errors
    /// Only the database's.
    pub fn collections(&self) -> Result<Vec<String>> {
        let select = Sql::new("select distinct collection from schemas order by collection");
        let rows = self.db.read(Eyes::Own, |conn| conn.load::<CollectionRow>(select))?;
        Ok(rows.into_iter().map(|row| row.collection).collect())
    }
}

//! One database for one test, of either kind, and the macro that makes a test run on both.
//!
//! Tests share nothing but the cluster: a database is made for each and dropped at its end, whether it passed or not.

use std::fs::{self, File};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;
use std::{env, io};

use tempfile::TempDir;

use crate::cluster::{self, ClusterError, Session, apart};

/// Which of the two databases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A file in a folder of the test's own.
    Sqlite,
    /// A database on the cluster that the tests share.
    Postgres,
}

/// A database that is there for one test and gone when this is dropped.
pub struct TestDatabase {
    kind: Kind,
    url: String,
    folder: TempDir,
}

impl TestDatabase {
    /// An empty database.
    ///
    /// # Errors
    /// If there is no cluster, or the folder for temporary files cannot be written.
    pub fn new(kind: Kind) -> Result<Self, ClusterError> {
        // Clients that the tests ask with are made without asking for this.
        hayward::tls::install();
        let folder = TempDir::new()?;
        let url = match kind {
            Kind::Sqlite => sqlite_url(folder.path())?,
            Kind::Postgres => cluster::postgres_url()?,
        };
        Ok(Self { kind, url, folder })
    }

    /// A copy of a database that `prepare` has filled, which it does once for each build of a test program.
    ///
    /// `prepare` gets a URL like that of [`Self::url`] and must have closed what it opened when it returns. A program has
    /// one template of a kind: every call in it has to prepare in the same way. On SQLite all files that lie beside the
    /// database belong to the template; on PostgreSQL it is the database alone.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn from_template(kind: Kind, prepare: impl FnOnce(&str) + Send) -> Result<Self, ClusterError> {
        hayward::tls::install();
        let folder = TempDir::new()?;
        let url = match kind {
            Kind::Sqlite => {
                copy_sqlite_template(&env::current_exe()?.with_extension("templates"), &build()?, folder.path(), prepare)?;
                sqlite_url(folder.path())?
            }
            Kind::Postgres => {
                let template = format!("hayward_template_{}", build()?);
                apart(|| make_postgres_template(&template, prepare))?;
                cluster::create(&template)?
            }
        };
        Ok(Self { kind, url, folder })
    }

    /// What the program takes as `DATABASE_URL`.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Which database it is.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// A folder for what belongs to this database: on SQLite the one that it lies in, otherwise an empty one.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        match self.kind {
            Kind::Sqlite => {}
            // What is left behind goes away with the cluster. A complaint here would hide what the test has to say.
            Kind::Postgres => drop(cluster::drop_database(&self.url)),
        }
    }
}

fn sqlite_url(folder: &Path) -> Result<String, ClusterError> {
    let folder = folder.to_str().ok_or(ClusterError::NotUtf8)?;
    Ok(format!("sqlite:{folder}/hayward.db"))
}

/// Serializes the making of templates in a cluster: what they do may reach beyond their database (roles do).
const TEMPLATES: &str = "select pg_advisory_lock(7741)";

/// Makes the template `name`, unless it is there already.
fn make_postgres_template(name: &str, prepare: impl FnOnce(&str)) -> Result<(), ClusterError> {
    let session = Session::open()?;
    // The lock ends with the session.
    session.run(TEMPLATES)?;
    if session.finds("select 1 from pg_database where datname = $1 and datistemplate", name)? {
        return Ok(());
    }
    // One that is there without being a template was left behind by a preparation that failed.
    session.run(&format!("drop database if exists {name} with (force)"))?;
    session.run(&format!("create database {name} template template0"))?;
    prepare(&cluster::url_of(name)?);
    // PostgreSQL copies only what nobody is connected to.
    session.run(&format!("alter database {name} with is_template true allow_connections false"))?;
    session.run(&format!("select pg_terminate_backend(pid) from pg_stat_activity where datname = '{name}'"))
}

/// Fills `folder` with a copy of the template that lies on `shelf` under the name `build`, and makes that first if it is not
/// there yet. The templates of earlier builds go away then.
///
/// The shelf lies beside the program, so that cleaning up after a build removes it too.
fn copy_sqlite_template(shelf: &Path, build: &str, folder: &Path, prepare: impl FnOnce(&str)) -> Result<(), ClusterError> {
    let lock = File::create(shelf.with_extension("lock"))?;
    // Ends when the file is closed. Held while copying, too: another build of the program may want to replace the template.
    lock.lock()?;

    let template = shelf.join(build);
    if !template.is_dir() {
        if shelf.is_dir() {
            fs::remove_dir_all(shelf)?;
        }
        fs::create_dir_all(shelf)?;
        // Removed again if `prepare` fails.
        let unfinished = TempDir::new_in(shelf)?;
        prepare(&sqlite_url(unfinished.path())?);
        fs::rename(unfinished.keep(), &template)?;
    }
    for file in fs::read_dir(&template)? {
        let file = file?;
        fs::copy(file.path(), folder.join(file.file_name()))?;
    }
    Ok(())
}

/// Tells one build of this test program from another: a hash of its path and of when it was written.
fn build() -> io::Result<String> {
    let program = env::current_exe()?;
    let mut hasher = DefaultHasher::new();
    program.hash(&mut hasher);
    fs::metadata(&program)?.modified()?.hash(&mut hasher);
    Ok(format!("{:016x}", hasher.finish()))
}

/// Makes one test of each kind of database from one sentence.
///
/// The result is a module of the sentence's name with the tests `sqlite` and `postgres` in it. `tests/run` knows them by
/// these ends of their names, and fails unless the same ones passed on both.
///
/// The argument is made by its type's `new(Kind)`: [`TestDatabase`](crate::TestDatabase), or whatever a test file wraps
/// around one. A body may return a `Result`, whose error then has to take in that of `new`; without one, `new` fails with a
/// [`ClusterError`](crate::cluster::ClusterError). Attributes go to both tests.
///
/// ```
/// use hayward_tests::{TestDatabase, on_both};
///
/// on_both! {
///     fn a_database_has_an_address(db: TestDatabase) {
///         assert!(db.url().contains(':'));
///     }
/// }
/// # fn main() {}
/// ```
#[macro_export]
macro_rules! on_both {
    ($(#[$attribute:meta])* fn $sentence:ident($argument:ident: $type:ty) $body:block) => {
        $crate::on_both! {
            $(#[$attribute])*
            fn $sentence($argument: $type) -> ::std::result::Result<(), $crate::cluster::ClusterError> {
                $body
                Ok(())
            }
        }
    };
    ($(#[$attribute:meta])* fn $sentence:ident($argument:ident: $type:ty) -> $answer:ty $body:block) => {
        mod $sentence {
            use super::*;

            fn check($argument: $type) -> $answer $body

            $(#[$attribute])*
            #[test]
            fn sqlite() -> $answer {
                check(<$type>::new($crate::Kind::Sqlite)?)
            }

            $(#[$attribute])*
            #[test]
            fn postgres() -> $answer {
                check(<$type>::new($crate::Kind::Postgres)?)
            }
        }
    };
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

    use super::{ClusterError, Kind, TestDatabase, apart, cluster, copy_sqlite_template, make_postgres_template};
    use crate::cluster::Session;

    /// Makes a template that is used by no other test, next to `db`, and answers whether `prepare` was asked to fill it.
    fn make(db: &TestDatabase, prepare: fn()) -> Result<bool, ClusterError> {
        let mut asked = false;
        let prepare = |_: &str| {
            asked = true;
            prepare();
        };
        match db.kind() {
            Kind::Sqlite => {
                let shelf = db.folder().join("shelf");
                copy_sqlite_template(&shelf, "build", db.folder(), prepare)?;
            }
            Kind::Postgres => apart(|| make_postgres_template(&template(db), prepare))?,
        }
        Ok(asked)
    }

    fn template(db: &TestDatabase) -> String {
        let name = db.url().rsplit('/').next().unwrap_or_default();
        format!("template_of_{name}")
    }

    /// A template is not dropped by the test that made it, since others might use it.
    fn tidy_up(db: &TestDatabase) -> Result<(), ClusterError> {
        let name = template(db);
        match db.kind() {
            Kind::Sqlite => Ok(()),
            Kind::Postgres => {
                apart(|| Session::open()?.run(&format!("alter database {name} with is_template false")))?;
                cluster::drop_database(&cluster::url_of(&name)?)
            }
        }
    }

    on_both! {
        fn a_template_is_prepared_once(db: TestDatabase) {
            assert!(make(&db, || {})?);
            assert!(!make(&db, || {})?);
            tidy_up(&db)?;
        }
    }

    on_both! {
        fn a_template_whose_preparation_failed_is_prepared_again(db: TestDatabase) {
            let failed = catch_unwind(AssertUnwindSafe(|| make(&db, || resume_unwind(Box::new("the preparation fails")))));
            assert!(failed.is_err());
            assert!(make(&db, || {})?);
            tidy_up(&db)?;
        }
    }
}

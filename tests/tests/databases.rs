//! The ground that the other tests stand on: a database of one's own, of either kind, and nothing left afterwards.

use hayward_tests::cluster::ClusterError;
use hayward_tests::{Kind, TestDatabase, on_both};
use tokio_postgres::NoTls;

/// Runs one statement and answers the first column of what it finds.
async fn ask(url: &str, sql: &str) -> Result<Vec<String>, tokio_postgres::Error> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    let asked = async {
        let rows = client.query(sql, &[]).await?;
        drop(client);
        rows.iter().map(|row| row.try_get(0)).collect()
    };
    let (answer, ended) = tokio::join!(asked, connection);
    ended.and(answer)
}

/// Leaves a mark that a copy of the database has too.
fn mark(url: &str) -> Result<(), ClusterError> {
    match url.strip_prefix("sqlite:") {
        Some(path) => Ok(std::fs::write(path, "marked")?),
        None => apart(async { ask(url, "create table mark ()").await.map(drop) }),
    }
}

fn is_marked(db: &TestDatabase) -> Result<bool, ClusterError> {
    match db.kind() {
        Kind::Sqlite => Ok(db.folder().join("hayward.db").exists()),
        Kind::Postgres => {
            apart(async { Ok(!ask(db.url(), "select 'there' where to_regclass('mark') is not null").await?.is_empty()) })
        }
    }
}

fn apart<T>(work: impl Future<Output = Result<T, tokio_postgres::Error>>) -> Result<T, ClusterError> {
    Ok(tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(work)?)
}

on_both! {
    fn two_tests_never_meet(db: TestDatabase) {
        let other = TestDatabase::new(db.kind())?;
        mark(db.url())?;
        assert!(is_marked(&db)?);
        assert!(!is_marked(&other)?);
    }
}

on_both! {
    fn nothing_is_left_of_a_database_that_was_dropped(db: TestDatabase) {
        mark(db.url())?;
        let (kind, url, folder) = (db.kind(), db.url().to_owned(), db.folder().to_owned());
        drop(db);
        assert!(!folder.exists());
        match kind {
            Kind::Sqlite => {}
            Kind::Postgres => assert!(apart(ask(&url, "select ''")).is_err()),
        }
    }
}

on_both! {
    fn a_database_can_be_made_and_dropped_inside_a_runtime(db: TestDatabase) {
        let kind = db.kind();
        apart(async {
            drop(TestDatabase::new(kind));
            Ok(())
        })?;
    }
}

on_both! {
    fn a_template_is_copied_with_all_that_is_in_it(empty: TestDatabase) {
        let kind = empty.kind();
        let first = TestDatabase::from_template(kind, |url| drop(mark(url)))?;
        let second = TestDatabase::from_template(kind, |_| unreachable!("the template is there already"))?;
        assert!(is_marked(&first)?);
        assert!(is_marked(&second)?);
        assert!(!is_marked(&empty)?);
    }
}

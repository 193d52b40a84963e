use hayward_domain::record::Record;

fn sent(_: impl serde::Serialize) {}

fn main() {
    sent(Record::default());
}

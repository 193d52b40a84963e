use hayward_domain::disclose::SharedRecord;

fn main() {
    let _ = SharedRecord { payload: String::from("{}") };
}

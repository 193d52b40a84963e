//! How far two points of the earth are apart: a function that SQLite is given, since it has no sines.

use diesel::sql_types::{Double, Nullable};
use diesel::sqlite::SqliteConnection;

/// Twice the earth's mean radius, in kilometres (IUGG).
const DIAMETER: f64 = 12_742.017_6;

#[diesel::declare_sql_function]
extern "SQL" {
    fn hayward_apart(latitude: Nullable<Double>, longitude: Nullable<Double>, north: Double, east: Double) -> Nullable<Double>;
}

/// Makes the function known to a connection.
pub(super) fn register(conn: &mut SqliteConnection) -> diesel::QueryResult<()> {
    hayward_apart_utils::register_impl(conn, |latitude: Option<f64>, longitude: Option<f64>, north: f64, east: f64| {
        Some(kilometres([latitude?, longitude?], [north, east]))
    })
}

/// The haversine, as PostgreSQL is told to work it out.
fn kilometres([latitude, longitude]: [f64; 2], [north, east]: [f64; 2]) -> f64 {
    let half = |angle: f64| (angle.to_radians() / 2.0).sin().abs().max(1e-99).powi(2);
    let level = |angle: f64| angle.to_radians().cos().max(0.0);
    let square = half(latitude - north) + level(north) * level(latitude) * half(longitude - east);
    DIAMETER * square.sqrt().min(1.0).asin()
}

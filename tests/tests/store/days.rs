//! An agreement opens data from its first day, once the grace period is over, to the end of its last, and not a microsecond longer.

use std::time::Duration;

use hayward_store::{Decision, Settings};
use hayward_tests::commons::{Commons, To};
use hayward_tests::on_both;
use serde_json::json;

use crate::agreements::{parties, shown};

on_both! {
    fn nothing_is_shown_before_the_grace_period_is_over(commons: Commons) {
        let (a, b, list) = parties(&commons);
        let settings = Settings { grace: Duration::from_secs(900), ..commons.store.read_settings().unwrap() };
        commons.store.write_settings(&settings).unwrap();
        let agreement = commons.agree(&a, To::One(&b), &list, &json!({}));
        let regretted = commons.agree(&a, To::One(&b), &list, &json!({}));
        assert_eq!((commons.state(&b, &agreement, 1).as_str(), shown(&commons, &b)), ("agreed", 0));
        commons.decide(&b.steward, &regretted, 1, Decision::Withdraw).unwrap();
        commons.pass(Duration::from_secs(899));
        assert_eq!((commons.store.build_due().unwrap(), shown(&commons, &b)), (0, 0));
        commons.pass(Duration::from_secs(1));
        assert_eq!((commons.store.build_due().unwrap(), shown(&commons, &b)), (1, 2));
    }
}

on_both! {
    fn nothing_is_shown_before_the_first_day(commons: Commons) {
        let (a, b, list) = parties(&commons);
        let agreement = commons.agree(&a, To::One(&b), &list, &json!({"starts_on": "2026-12-03"}));
        commons.pass(Duration::from_secs(36 * 3600 - 1));
        assert_eq!((commons.store.build_due().unwrap(), shown(&commons, &b)), (0, 0));
        commons.pass(Duration::from_secs(1));
        assert_eq!((commons.store.build_due().unwrap(), shown(&commons, &b)), (1, 2));
        assert_eq!(commons.state(&b, &agreement, 1), "active");
    }
}

on_both! {
    fn nothing_is_shown_after_the_last_day(commons: Commons) {
        let (a, b, list) = parties(&commons);
        let agreement = commons.agree(&a, To::One(&b), &list, &json!({"ends_on": "2026-12-02"}));
        let id = commons.list(&b.viewer, "organizations")[0]["id"].as_str().unwrap().to_owned();
        commons.pass(Duration::from_secs(36 * 3600 - 1));
        assert_eq!(shown(&commons, &b), 2);
        commons.pass(Duration::from_secs(1));
        // Whether or not the clock's own work has been done.
        assert_eq!((shown(&commons, &b), commons.get(&b.viewer, "organizations", &id)), (0, None));
        assert_eq!(commons.store.expire_due().unwrap(), 1);
        assert_eq!((shown(&commons, &b), commons.get(&b.viewer, "organizations", &id)), (0, None));
        assert_eq!(commons.state(&a, &agreement, 1), "expired");
        assert_eq!(commons.store.expire_due().unwrap(), 0);
    }
}

on_both! {
    fn days_begin_and_end_in_the_time_zone_of_the_commons(commons: Commons) {
        let (a, b, list) = parties(&commons);
        // Thirteen hours ahead in December: noon in Greenwich is one in the morning of the next day.
        let settings = Settings { time_zone: "Pacific/Auckland".parse().unwrap(), ..commons.store.read_settings().unwrap() };
        commons.store.write_settings(&settings).unwrap();
        commons.agree(&a, To::One(&b), &list, &json!({"starts_on": "2026-12-02", "ends_on": "2026-12-02"}));
        assert_eq!(shown(&commons, &b), 2);
        commons.pass(Duration::from_secs(23 * 3600 - 1));
        assert_eq!(shown(&commons, &b), 2);
        commons.pass(Duration::from_secs(1));
        assert_eq!(shown(&commons, &b), 0);
    }
}

on_both! {
    fn a_proposal_that_outlives_its_last_day_is_over(commons: Commons) {
        let (a, b, list) = parties(&commons);
        let terms = commons.terms(&list, To::One(&b), &json!({"ends_on": "2026-12-02"}));
        let agreement = commons.propose(&a.steward, &terms).unwrap();
        commons.pass_days(2);
        assert_eq!(commons.store.expire_due().unwrap(), 1);
        assert_eq!(commons.state(&a, &agreement, 1), "terminated");
        assert!(commons.propose(&a.steward, &terms).is_err());
    }
}

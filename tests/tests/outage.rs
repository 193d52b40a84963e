//! The disk is full; the database goes away and comes back: clear errors meanwhile, nothing wrong afterwards, and no restart.
//!
//! A binary of its own: the cluster that it stops is used by every test of its process.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test stops where it is surprised")]

use std::process::Command;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use hayward_tests::checker::Checker;
use hayward_tests::cluster::{ClusterError, Control, Order};
use hayward_tests::commons::keyring;
use hayward_tests::load::{SMALL, Work, World, found};
use hayward_tests::program::{Served, program_on};
use hayward_tests::{Kind, on_both, raw};
use reqwest::blocking::Client;
use serde_json::Value;

/// How long a commons may take to go on once what it needs is back.
const PATIENCE: Duration = Duration::from_secs(60);

/// A served commons whose database can be made to fail.
struct Outage {
    world: World,
    served: Served,
    work: Arc<Work>,
    checker: Checker,
    control: Option<Control>,
}

impl Outage {
    fn new(kind: Kind) -> Result<Self, ClusterError> {
        let control = (kind == Kind::Postgres).then(Control::take).transpose()?;
        let world = found(kind, 9, SMALL)?;
        let plain = program_on(&world.database);
        // A write beyond the limit is a failed write then, and no signal.
        let mut program = Command::new("bash");
        program.args(["-c", "trap '' XFSZ; exec \"$@\"", "bash"]).arg(plain.get_program());
        program.args(["serve", "--listen", "127.0.0.1:0"]);
        program.envs(plain.get_envs().filter_map(|(name, value)| Some((name, value?))));
        let served = Served::start(&mut program, &world.database.folder().join("log"));
        let work = Work::at(&served.url);
        Ok(Self { world, served, work, checker: Checker::new(keyring()), control })
    }

    /// Makes the database fail, as a full disk or a crash of its server would, or mends it.
    fn switch(&mut self, order: Order) {
        switch(self.control.as_mut(), self.served.id(), order);
    }

    /// Everybody works, for `span` or until they cannot go on.
    fn load(&mut self, span: Duration, mut meanwhile: impl FnMut(&Client, &str)) {
        let Self { world, served, work, .. } = self;
        let http = Client::builder().no_proxy().timeout(PATIENCE).build().unwrap();
        world.busy(work, |_| {
            thread::sleep(span);
            meanwhile(&http, &served.url);
            work.stop();
        });
        self.work = Work::at(&self.served.url);
    }

    /// Waits until nothing is left to do, and compares everything with what was acknowledged and received.
    fn judge(&mut self) {
        let began = Instant::now();
        loop {
            // As time would, for whoever was thrown out in the middle.
            raw::tell(&self.world.database, "update imports set changed_at = 0 where state = 'reading'");
            let seen = self.checker.live(&self.world.database);
            assert_eq!(seen.faults, Vec::<String>::new());
            if seen.waiting.is_empty() {
                let World { importers, bargainers, readers, .. } = &mut self.world;
                importers.iter_mut().for_each(|one| one.resume(&seen).unwrap());
                bargainers.iter_mut().for_each(|one| one.resume(&seen).unwrap());
                let received: Vec<_> = readers.iter_mut().flat_map(|one| std::mem::take(&mut one.received)).collect();
                assert_eq!(seen.undisclosed(&received), Vec::<String>::new());
                return;
            }
            assert!(began.elapsed() < PATIENCE, "the program does not settle: {:#?}", seen.waiting);
            thread::sleep(Duration::from_millis(300));
        }
    }

    fn acknowledged(&self) -> u64 {
        let World { importers, bargainers, .. } = &self.world;
        importers.iter().map(|one| one.acknowledged).chain(bargainers.iter().map(|one| one.acknowledged)).sum()
    }
}

/// A read without a token, as the simplest thing that anybody asks.
fn read(http: &Client, url: &str) -> (u16, String) {
    let answer = http.get(format!("{url}/api/v1/opportunities?limit=1")).send().unwrap();
    let status = answer.status().as_u16();
    let body: Value = answer.json().unwrap();
    (status, body["type"].as_str().unwrap_or_default().to_owned())
}

on_both! {
    fn a_database_that_fails_for_a_while_is_survived(outage: Outage) {
        let mut outage = outage;
        outage.load(Duration::from_secs(2), |http, url| assert_eq!(read(http, url).0, 200));
        outage.judge();

        outage.work.expect_failing(true);
        let work = Arc::clone(&outage.work);
        outage.switch(Order::Stop);
        outage.load(Duration::from_secs(1), |http, url| {
            let (status, problem) = read(http, url);
            assert_eq!(status, 503);
            assert!(["/problems/unavailable", "/problems/ledger-unavailable"].contains(&problem.as_str()), "{problem}");
        });
        assert_eq!(work.complaints(), Vec::<String>::new());
        outage.switch(Order::Start);

        // Nobody restarts anything.
        let http = Client::builder().no_proxy().timeout(PATIENCE).build().unwrap();
        let began = Instant::now();
        while read(&http, &outage.served.url).0 != 200 {
            let log = std::fs::read_to_string(outage.world.database.folder().join("log")).unwrap();
            assert!(began.elapsed() < PATIENCE, "nothing is answered though the database is back: {:?} {}", read(&http, &outage.served.url), log.lines().rev().take(12).collect::<Vec<_>>().join("\n"));
            thread::sleep(Duration::from_millis(200));
        }
        outage.judge();
        let before = outage.acknowledged();
        let work = Arc::clone(&outage.work);
        outage.load(Duration::from_secs(3), |http, url| assert_eq!(read(http, url).0, 200));
        assert_eq!(work.complaints(), Vec::<String>::new());
        assert!(outage.acknowledged() > before, "nobody got anything done afterwards");
        outage.judge();
    }
}

on_both! {
    fn a_database_that_fails_in_the_middle_of_work_is_survived(outage: Outage) {
        let mut outage = outage;
        for _ in 0..3 {
            outage.work.expect_failing(true);
            let work = Arc::clone(&outage.work);
            // Both from inside the load: at whatever everybody is at.
            let Outage { world, served, control, .. } = &mut outage;
            let pid = served.id();
            world.busy(&work, |_| {
                thread::sleep(Duration::from_millis(700));
                switch(control.as_mut(), pid, Order::Stop);
                thread::sleep(Duration::from_millis(700));
                switch(control.as_mut(), pid, Order::Start);
                work.stop();
            });
            assert_eq!(work.complaints(), Vec::<String>::new());
            outage.work = Work::at(&outage.served.url);
            outage.judge();
        }
    }
}

/// Makes the database of the program `pid` fail, or mends it.
fn switch(control: Option<&mut Control>, pid: u32, order: Order) {
    // As root or not: a soft limit can be lowered and raised again.
    let limit = match order {
        Order::Stop => "--fsize=4096:unlimited",
        Order::Start => "--fsize=unlimited:unlimited",
    };
    match control {
        Some(control) => control.order(order).unwrap(),
        None => assert!(Command::new("prlimit").args(["--pid", &pid.to_string(), limit]).status().unwrap().success()),
    }
}

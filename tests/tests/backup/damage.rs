//! An archive that is not what was written is refused before anything is touched.

use std::io::Cursor;

use hayward_store::{BackupError, DatabaseUrl};
use hayward_tests::{Kind, TestDatabase, cluster::ClusterError, on_both};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use sha2::{Digest, Sha256};

use crate::world::{World, backed_up, try_restore};

fn inspect(archive: &[u8]) -> Result<(), BackupError> {
    hayward_store::inspect(&mut Cursor::new(archive)).map(drop)
}

fn is_refused(archive: &[u8]) -> bool {
    let code = match inspect(archive) {
        Ok(()) => return false,
        Err(error) => error.code(),
    };
    ["damaged-archive", "truncated-archive", "not-an-archive", "unknown-format"].contains(&code)
}

fn archive() -> Result<Vec<u8>, ClusterError> {
    let world = World::new(Kind::Sqlite)?;
    world.disclose(1);
    let archive = backed_up(world.database());
    inspect(&archive).unwrap();
    Ok(archive)
}

/// Where the frames begin, and after the last of them, where the archive ends.
fn borders(archive: &[u8]) -> Vec<usize> {
    let mut borders = vec![20];
    while let Some(at) = borders.last().copied().filter(|at| *at < archive.len()) {
        let stored = u32::from_be_bytes(archive[at + 1..at + 5].try_into().unwrap());
        borders.push(at + 41 + stored as usize);
    }
    borders
}

/// The archive with other frames, whose hashes are made to fit.
fn forged(archive: &[u8], frames: &[&[u8]]) -> Vec<u8> {
    let mut forged = archive[..20].to_vec();
    let mut chain: Vec<u8> = Sha256::new().chain_update([0; 32]).chain_update(&archive[..20]).finalize().to_vec();
    for frame in frames {
        let (head, stored) = (&frame[..9], &frame[41..]);
        chain = Sha256::new().chain_update(&chain).chain_update(head).chain_update(stored).finalize().to_vec();
        for part in [head, &chain, stored] {
            forged.extend_from_slice(part);
        }
    }
    forged
}

fn frames(archive: &[u8]) -> Vec<&[u8]> {
    borders(archive).windows(2).map(|pair| &archive[pair[0]..pair[1]]).collect()
}

#[test]
fn every_part_is_there_once() -> Result<(), ClusterError> {
    let archive = archive()?;
    let frames = frames(&archive);
    assert_eq!(forged(&archive, &frames), archive);
    let kinds: std::collections::BTreeSet<u8> = frames.iter().map(|frame| frame[0]).collect();
    assert_eq!(kinds.into_iter().collect::<Vec<_>>(), [1, 2, 3, 4, 5]);
    Ok(())
}

#[test]
fn a_changed_byte_is_noticed_in_every_kind_of_part() -> Result<(), ClusterError> {
    let archive = archive()?;
    let changed = |at: usize, bit: u8| {
        let mut changed = archive.clone();
        changed[at] ^= 1 << bit;
        changed
    };
    for at in 0..20 {
        assert!((0..8).all(|bit| is_refused(&changed(at, bit))), "byte {at}");
    }
    let mut seen = std::collections::BTreeSet::new();
    for pair in borders(&archive).windows(2) {
        // Every byte of the first two parts of each kind; of the others the kind, the lengths, a hash and what is stored.
        let kind = archive[pair[0]];
        let whole = seen.insert((kind, 0)) || seen.insert((kind, 1));
        let some = [0, 1, 4, 5, 8, 9, 40, 41].map(|at| pair[0] + at);
        let bytes: Vec<usize> = if whole { (pair[0]..pair[1]).collect() } else { some.to_vec() };
        for at in bytes.into_iter().filter(|at| *at < pair[1]) {
            assert!(is_refused(&changed(at, u8::try_from(at % 8).unwrap())), "byte {at} of a part of kind {kind}");
        }
    }
    Ok(())
}

#[test]
fn a_changed_byte_is_noticed_anywhere() -> Result<(), ClusterError> {
    let archive = archive()?;
    let mut runner = TestRunner::new(Config { cases: 300, failure_persistence: None, ..Config::default() });
    let strategy = (0..archive.len(), 1u8..=255);
    let checked = runner.run(&strategy, |(at, flip)| {
        let mut changed = archive.clone();
        changed[at] ^= flip;
        prop_assert!(is_refused(&changed));
        Ok(())
    });
    assert_eq!(checked, Ok(()));
    Ok(())
}

#[test]
fn an_archive_that_ends_early_is_refused_wherever_it_ends() -> Result<(), ClusterError> {
    let archive = archive()?;
    let borders = borders(&archive);
    let random = (0..archive.len()).step_by(197);
    for end in borders.iter().copied().filter(|end| *end < archive.len()).chain(random).chain(0..120) {
        assert!(matches!(inspect(&archive[..end]), Err(BackupError::Truncated { .. })), "{end} bytes");
    }
    Ok(())
}

#[test]
fn anything_after_the_end_is_refused() -> Result<(), ClusterError> {
    let archive = archive()?;
    for more in [&b"\n"[..], &archive[..], &archive[20..]] {
        assert!(is_refused(&[&archive[..], more].concat()));
    }
    Ok(())
}

#[test]
fn parts_that_are_dropped_doubled_or_moved_are_noticed_even_where_the_hashes_fit() -> Result<(), ClusterError> {
    let archive = archive()?;
    let frames = frames(&archive);
    for at in 0..frames.len() {
        let mut dropped = frames.clone();
        dropped.remove(at);
        assert!(is_refused(&forged(&archive, &dropped)), "part {at} dropped");
        let mut doubled = frames.clone();
        doubled.insert(at, frames[at]);
        assert!(is_refused(&forged(&archive, &doubled)), "part {at} doubled");
    }
    for at in 1..frames.len() {
        let mut moved = frames.clone();
        moved.swap(at - 1, at);
        assert!(is_refused(&forged(&archive, &moved)), "part {at} moved");
    }
    Ok(())
}

#[test]
fn a_part_that_unpacks_to_more_than_it_claims_is_refused() -> Result<(), ClusterError> {
    let archive = archive()?;
    let all = frames(&archive);
    for claim in [0u32, 1, 1 << 20, u32::MAX] {
        for length in [claim, 7] {
            let mut first = all[0].to_vec();
            first[5..9].copy_from_slice(&length.to_be_bytes());
            let mut frames = all.clone();
            frames[0] = &first;
            assert!(is_refused(&forged(&archive, &frames)));
            let mut lying = archive.clone();
            lying[21..25].copy_from_slice(&claim.to_be_bytes());
            assert!(is_refused(&lying));
        }
    }
    Ok(())
}

on_both! {
    fn nothing_is_touched_where_the_archive_is_refused(world: World) {
        let mut archive = backed_up(world.database());
        let last = archive.len() - 1;
        archive[last] ^= 1;
        let db = TestDatabase::new(world.database().kind())?;
        let url = DatabaseUrl::parse(db.url()).unwrap();
        assert!(matches!(try_restore(&archive, Some(&url), Vec::new()), Err(BackupError::Damaged { .. })));
        match db.kind() {
            Kind::Sqlite => assert_eq!(std::fs::read_dir(db.folder()).unwrap().count(), 0),
            Kind::Postgres => {
                let tables = "select relname as value from pg_class c join pg_namespace n on n.oid = c.relnamespace
                    where n.nspname in ('public', 'ledger')";
                assert!(crate::raw::ask(&db, tables).is_empty());
            }
        }
    }
}

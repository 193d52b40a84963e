//! What a co-op can find out by uploading guesses, or by asking for a value that it has in mind.

use hayward_tests::on_both;
use reqwest::Method;
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::world::Persona::{PartnerClient, ThirdOwner};
use crate::world::{World, all_decided};

/// Uploads a file as the third co-op, decides everything and commits it; every answer on the way, with what names the file taken out.
fn reported(world: &World, guess: &str, mail: &str) -> Vec<(u16, String)> {
    let made = world.post(ThirdOwner, "/api/v1/datasets", &json!({"schema": "opportunity", "name": guess})).expect(201).json();
    let dataset = made["id"].as_str().unwrap();
    let file = format!("reference,title,contact_email,Guess\n{guess},Guess,{mail},x\n{guess},Twice,{mail},y\nOWN,Own,{mail},z\n");
    let upload = world.request(ThirdOwner, Method::POST, &format!("/api/v1/datasets/{dataset}/imports?filename=guesses.csv"));
    let uploaded = Answer::to(upload.header("Content-Type", "text/csv").body(file)).expect(201);
    let import: Value = uploaded.json();
    let id = import["id"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/imports/{id}");
    let mut answers = vec![uploaded, world.put(ThirdOwner, &format!("{path}/matching"), &all_decided(&import))];
    for part in ["", "/problems", "/problems/groups", "/diff", "/rows"] {
        answers.push(world.get(ThirdOwner, &format!("{path}{part}")));
    }
    answers.push(world.post(ThirdOwner, &format!("{path}/commit"), &json!({})));
    answers.push(world.get(ThirdOwner, &format!("{path}/diff")));
    answers.push(world.get(ThirdOwner, &path));
    let plain = |answer: &Answer| {
        let (status, text) = answer.without_the_request();
        (status, text.replace(guess, "GUESS").replace(mail, "MAIL").replace(&id, "IMPORT").replace(dataset, "LIST"))
    };
    answers.iter().map(plain).collect()
}

on_both! {
    /// Classes 19, 20 and 21: what a check, a difference and a commit report depends on the file and on one's own list, never on what
    /// stands in somebody else's.
    fn an_upload_of_guesses_reports_the_same_whether_they_are_right(world: World) {
        // The matching of the last upload is suggested for the next: let there have been one.
        reported(&world, "ZQX-REF-0", "zqx-mail-0@vall.example");
        let right = reported(&world, "ZQX-REF-1", "zqx-mail-1@vall.example");
        let wrong = reported(&world, "ZQX-REF-Q", "zqx-mail-q@vall.example");
        assert_eq!(right.len(), wrong.len());
        for (right, wrong) in right.iter().zip(&wrong) {
            assert_eq!(steady(right), steady(wrong));
        }
        assert!(right.iter().all(|(status, _)| *status < 300), "{right:?}");
    }
}

/// Without the ids of new records and the times, which no two imports share.
fn steady((status, text): &(u16, String)) -> (u16, String) {
    let mut out = String::new();
    let mut rest = text.as_str();
    while let Some(at) = rest.find("rec_") {
        let (before, from) = rest.split_at(at);
        let end = from.find(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_').unwrap_or(from.len());
        out.push_str(before);
        out.push_str("rec");
        rest = from.split_at(end).1;
    }
    (*status, out + rest)
}

on_both! {
    /// Class 43: nobody learns a pseudonym of a value of their own choice, by filter, prefix, sort position or upload.
    fn a_pseudonym_is_not_found_by_what_it_stands_for(world: World) {
        let base = format!("/api/v1/opportunities?agreement={}", world.id("agreement"));
        let all: Vec<String> = world.get(PartnerClient, &base).column("reference");
        assert_eq!(all.len(), 8);
        for guess in ["ZQX-REF-1", "ZQX-REF-2", "zqx-ref-1"] {
            for operator in ["", "[in]", "[prefix]", "[eq]"] {
                assert!(world.get(PartnerClient, &format!("{base}&reference{operator}={guess}")).items().is_empty());
            }
        }
        // The order of the pseudonyms is not the order of what they stand for.
        let sorted = world.get(PartnerClient, &format!("{base}&sort=reference")).column("title");
        let originals: Vec<String> = (1..=8).map(|row| format!("Job {row:02}")).collect();
        assert_ne!(sorted, originals);
        assert!(all.iter().all(|pseudonym| pseudonym.len() == 26 && !pseudonym.contains("ZQX")));
    }
}

#![expect(clippy::unwrap_used, reason = "a test may stop at what it did not expect")]

use proptest::prelude::*;
use serde_json::json;

use super::*;

fn finds(text: &str, query: &str) -> bool {
    Query::parse(query).unwrap().matches(&json!({ "title": text }).to_string())
}

#[test]
fn case_and_accents_make_no_difference() {
    for (text, query) in [
        ("Ávila", "avila"),
        ("AVILA", "ávila"),
        ("Brød og smør", "brod smor"),
        ("Łódź", "lodz"),
        ("Lodz", "łódź"),
        ("Straße", "STRASSE"),
        ("STRASSE", "straße"),
        ("Ærø", "aero"),
        ("Đà Nẵng", "da nang"),
        ("İstanbul ışık", "istanbul isik"),
        ("Œuvre", "oeuvre"),
        ("Þórr", "thorr"),
        ("Ο ΣΊΣΥΦΟΣ", "σίσυφος"),
        ("Ёлка", "елка"),
        ("ｆｕｌｌ　ｗｉｄｔｈ", "full width"),
        ("ﬁnance", "finance"),
        ("السَّلَام", "السلام"),
        ("שָׁלוֹם", "שלום"),
        ("한국어", "한국어"),
        ("नमस्ते", "नमस्ते"),
        ("e\u{301}cole", "école"),
    ] {
        assert!(finds(text, query), "`{query}` in `{text}`");
    }
}

#[test]
fn all_words_are_wanted_whole_unless_a_star_says_otherwise() {
    let text = "Solar panels for the bakers' co-op";
    for query in ["solar", "panels SOLAR", "co-op", "co op", "sol*", "pan* bak*", "\"solar\" (panels)", "solar AND_no -"] {
        assert_eq!(finds(text, query), !query.contains("AND"), "{query}");
    }
    for query in ["sol", "solar wind", "olar*", "so*lar", "panel"] {
        assert!(!finds(text, query), "{query}");
    }
}

#[test]
fn scripts_without_spaces_are_found_by_any_piece() {
    let (kyoto, bread) = ("京都の太陽光発電協同組合", "ร้านขนมปังสหกรณ์");
    for query in ["京都", "太陽", "光", "組合", "合", "協同組合", "太陽光発電", "京都 組合"] {
        assert!(finds(kyoto, query), "{query}");
    }
    for query in ["東京", "合組", "太陽光電", "京都 東"] {
        assert!(!finds(kyoto, query), "{query}");
    }
    for query in ["ขนมปัง", "สหกรณ์", "ปัง", "ร้", "ณ์"] {
        assert!(finds(bread, query), "{query}");
    }
    assert!(finds("ソーラー solar 2000年", "solar"));
    assert!(finds("ｿｰﾗｰ", "ソーラー"));
    assert!(finds("SOLAR太陽", "solar 太陽"));
}

#[test]
fn only_words_are_searched() {
    assert!(!finds("2027-01-15", "2027"));
    assert!(!finds("2027-01", "01"));
    let query = Query::parse("17").unwrap();
    assert!(!query.matches(&json!({"salary_min": 17, "open": true, "kind": null}).to_string()));
    assert!(query.matches(&json!({"tags": ["a", {"b": "no 17"}]}).to_string()));
    assert!(
        !Query::parse("title").unwrap().matches(&json!({"title": "Baker"}).to_string()),
        "a name of a field is no word of it"
    );
}

#[test]
fn a_query_is_bounded() {
    for empty in ["", " ", "*", "!? \"'", "\u{301}"] {
        assert_eq!(Query::parse(empty), Err(QueryError::Empty), "{empty:?}");
    }
    let many: String = (0..100).map(|number| format!("w{number} ")).collect();
    assert_eq!(Query::parse(&many), Err(QueryError::Long));
    assert!(Query::parse(&"漢".repeat(500)).is_ok(), "the same piece again and again is one");
    let long = "x".repeat(10_000);
    assert!(finds(&long, &long));
    let mut count = 0;
    each_token(&json!({"text": "a b ".repeat(100_000)}).to_string(), |_| count += 1);
    assert_eq!(count, MOST);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever is asked: no panic, and tokens are made of what every index takes for one word.
    #[test]
    fn tokens_are_words(text in any::<String>()) {
        each_token(&json!([text]).to_string(), |token| {
            assert!(token.chars().all(|letter| letter.is_alphanumeric() || is_combining_mark(letter)), "{token:?}");
            assert!(!token.is_empty() && token.chars().count() <= LONGEST);
        });
        if let Ok(query) = Query::parse(&text) {
            assert!(query.wants().iter().all(|want| !want.token.is_empty()));
        }
    }

    /// A text is found by itself, by each of its words, and whatever its case.
    #[test]
    fn a_text_is_found_by_its_words(text in "[a-zA-ZøłæßÁÉñçğıİΣσς京都太陽光ขนมปัง한국 ]{1,30}") {
        prop_assume!(Query::parse(&text).is_ok() && !is_date(&text));
        assert!(finds(&text, &text));
        assert!(finds(&text.to_uppercase(), &text) || text.contains('İ') || text.contains('ı'));
        for word in text.split_whitespace() {
            assert!(finds(&text, word), "`{word}` in `{text}`");
        }
    }
}

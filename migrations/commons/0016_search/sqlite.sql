-- The tokens of every payload, each behind the number of its shelf (`17_solar`). The text itself stands in the payload alone, and where
-- in it a word stands is kept nowhere. What is no ASCII sign is a letter here: tokens are made before they come.
create virtual table shared_words using fts5 (
    words, content = '', contentless_delete = 1, detail = none, tokenize = "ascii tokenchars '_'"
);

-- Whatever takes a payload away takes its words away, whoever does it.
create trigger shared_words_gone after delete on shared_records begin
    delete from shared_words where rowid = old.row;
end;
create trigger shared_words_erased after update of payload on shared_records when new.payload is null begin
    delete from shared_words where rowid = new.row;
end;

-- The tokens of every payload, each behind the number of its shelf (`17_solar`). No dictionary sees them: they are made before they
-- come.
create table shared_words (
    row bigint primary key,
    words tsvector not null
);
create index shared_words_by_word on shared_words using gin (words);
grant select on shared_words to hayward_reader;

-- Whatever takes a payload away takes its words away, whoever does it.
create or replace function forget_shared_words() returns trigger language plpgsql as $$ begin
    delete from shared_words where row = old.row;
    return null;
end $$;
create trigger shared_words_gone after delete on shared_records
    for each row execute function forget_shared_words();
create trigger shared_words_erased after update of payload on shared_records
    for each row when (new.payload is null) execute function forget_shared_words();

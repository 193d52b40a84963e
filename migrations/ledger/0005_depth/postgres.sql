-- PostgreSQL needs nothing besides.
select 1;

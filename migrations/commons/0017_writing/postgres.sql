-- Readers of shares have nothing to do with either.
revoke all on editions, kept_answers from hayward_reader;

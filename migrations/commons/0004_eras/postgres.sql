-- See the note on roles in `0001_commons`: nothing of this is for other organizations.
revoke all on eras from hayward_reader;

"""Documents: the bucket they lie in, what is read from them, and the passages they are cut into."""

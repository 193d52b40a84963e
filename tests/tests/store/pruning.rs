//! pruning

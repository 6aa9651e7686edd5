//! A server that stays: its banner, its log as text and as JSON, and what it offers to a shell.

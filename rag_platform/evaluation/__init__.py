"""Evaluation: questions with known answers, asked of the production search, and figures of it."""

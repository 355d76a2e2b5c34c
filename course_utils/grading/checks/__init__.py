"""What a check cell calls, in a learner's notebook and under the grader."""

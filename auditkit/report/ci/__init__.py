"""What a run leaves for the machine that runs it: GitHub's annotations and summary, GitLab's code quality, JUnit."""

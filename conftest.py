pytest_plugins = ["auditkit.plugin"]

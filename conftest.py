pytest_plugins = ["auditkit.plugin", "pytester"]

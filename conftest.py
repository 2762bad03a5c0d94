pytest_plugins = ["pytest_auditkit", "pytester"]

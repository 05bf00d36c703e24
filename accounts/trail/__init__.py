"""Reading the audit trail: filters, pages, stories, exports. Writing it is `accounts.audit`."""

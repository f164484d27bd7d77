// Package sqlstore has a [flow.Store] on SQLite and PostgreSQL.
package sqlstore

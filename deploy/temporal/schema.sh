#!/bin/sh
# Create or bring up to date the two stores of the Temporal server. Safe to repeat: a store that is newer than the
# first version keeps its version, and only the missing steps are taken. SQL_PASSWORD comes from the environment.
set -eu

store() {
    database=$1
    shift
    temporal-sql-tool --plugin "$DB" --ep "$POSTGRES_SEEDS" -p "$DB_PORT" -u "$POSTGRES_USER" --db "$database" "$@"
}

schemas=/etc/temporal/schema/postgresql/v12
store temporal setup-schema -v 0.0
store temporal update-schema -d $schemas/temporal/versioned
store temporal_visibility setup-schema -v 0.0
store temporal_visibility update-schema -d $schemas/visibility/versioned

-- Roles, passwords and databases of an installation. Run by psql as a superuser, as often as you like: a password
-- that has changed in the environment is taken over, what exists is kept.
-- The environment says where the server is (PGHOST, PGUSER, PGPASSWORD) and gives one password an account.
\set ON_ERROR_STOP on
\set QUIET on
SET client_min_messages = warning;
\getenv migrator_password DB_MIGRATOR_PASSWORD
\getenv app_password DB_APP_PASSWORD
\getenv worker_password DB_WORKER_PASSWORD
\getenv temporal_password DB_TEMPORAL_PASSWORD

\ir ../../db/roles.sql

SELECT 'CREATE ROLE temporal' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'temporal') \gexec
ALTER ROLE temporal LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS;

ALTER ROLE kawal_migrator PASSWORD :'migrator_password';
ALTER ROLE kawal_app PASSWORD :'app_password';
ALTER ROLE kawal_worker PASSWORD :'worker_password';
ALTER ROLE temporal PASSWORD :'temporal_password';

SELECT format('CREATE DATABASE %I TEMPLATE template0 OWNER %I', name, owner)
FROM (VALUES
    ('kawal', 'kawal_owner'),
    ('temporal', 'temporal'),
    ('temporal_visibility', 'temporal')
) AS wanted (name, owner)
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = name) \gexec

-- The engine's account has no way into the registry, nor Kawal's accounts into the engine's store.
REVOKE ALL ON DATABASE kawal, temporal, temporal_visibility FROM PUBLIC;
GRANT CONNECT ON DATABASE kawal TO kawal_migrator, kawal_app, kawal_worker;

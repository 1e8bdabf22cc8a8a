-- The roles that every Kawal database stands on. Can be run again; passwords are set elsewhere.
--   kawal_owner     owns all objects, cannot log in
--   kawal_migrator  logs in to migrate and acts as kawal_owner from its first statement on
--   kawal_app       the API;  kawal_worker  the worker. Neither owns anything, neither gets past row-level security.
DO $$
DECLARE
    wanted text;
BEGIN
    FOREACH wanted IN ARRAY ARRAY['kawal_owner', 'kawal_migrator', 'kawal_app', 'kawal_worker'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted) THEN
            EXECUTE format('CREATE ROLE %I', wanted);
        END IF;
    END LOOP;
END
$$;
ALTER ROLE kawal_owner NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS;
ALTER ROLE kawal_migrator LOGIN NOINHERIT NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS;
ALTER ROLE kawal_app LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS;
ALTER ROLE kawal_worker LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS;
GRANT kawal_owner TO kawal_migrator WITH INHERIT FALSE, SET TRUE;
-- What a migration creates belongs to kawal_owner even if a revision forgets to say SET ROLE.
ALTER ROLE kawal_migrator SET role = 'kawal_owner';

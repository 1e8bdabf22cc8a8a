import os
import pwd
import signal
import socket
import stat
from pathlib import Path

import asyncpg
import psutil
import pytest

from devstack.cluster import PostgresError, cluster_home, write_private
from devstack.postgres import DATABASE, PostgresServer
from devstack.service_user import ServiceUser, service_user
from tests.devstack.connections import connect

pytestmark = pytest.mark.embedded


async def remember(server: PostgresServer, word: str) -> None:
    async with connect(server.urls().migrator) as connection:
        await connection.execute("CREATE TABLE IF NOT EXISTS remembered (word text)")
        await connection.execute("INSERT INTO remembered VALUES ($1)", word)


async def remembered(server: PostgresServer) -> list[str]:
    async with connect(server.urls().migrator) as connection:
        return [row["word"] for row in await connection.fetch("SELECT word FROM remembered")]


def postmaster_of(server: PostgresServer) -> psutil.Process:
    process = server.cluster.postmaster()
    assert process is not None
    return process


async def test_a_second_start_finds_the_running_server(server: PostgresServer) -> None:
    pid = postmaster_of(server).pid
    other = PostgresServer(server.cluster.home, port=1024)
    await other.start()
    assert postmaster_of(other).pid == pid
    assert other.port == server.port
    assert other.urls().app == server.urls().app


async def test_data_survive_kill_nine_and_the_port_stays(server: PostgresServer) -> None:
    await remember(server, "killed")
    port = server.port
    os.kill(postmaster_of(server).pid, signal.SIGKILL)
    assert await server.ended() == "its postmaster is gone"
    await server.start()
    assert "killed" in await remembered(server)
    assert server.port == port


async def test_a_pid_file_that_names_a_stranger_does_not_hinder_the_start(server: PostgresServer) -> None:
    await remember(server, "rebooted")
    file = server.cluster.data / "postmaster.pid"
    written = file.read_text().splitlines()
    await server.stop()
    # After a reboot the pid may be anybody's, one of ours included.
    file.write_text("\n".join([str(os.getpid()), *written[1:]]))
    os.chown(file, server.cluster.data.stat().st_uid, server.cluster.data.stat().st_gid)
    assert not server.is_running()
    await server.start()
    assert "rebooted" in await remembered(server)


async def test_a_taken_port_is_left_to_its_owner(data_dir: Path) -> None:
    with socket.socket() as somebody:
        somebody.bind(("127.0.0.1", 0))
        somebody.listen()
        taken = somebody.getsockname()[1]
        async with PostgresServer(cluster_home(data_dir, service_user()), port=taken) as server:
            assert server.port != taken
            async with connect(server.urls().app) as connection:
                assert await connection.fetchval("SELECT current_user") == "kawal_app"


async def test_nobody_gets_in_without_a_password_and_only_from_this_machine(server: PostgresServer) -> None:
    for account in ("postgres", "kawal_app", "kawal_worker", "kawal_migrator"):
        with pytest.raises(asyncpg.InvalidPasswordError):
            async with connect(f"postgresql+asyncpg://{account}:guess@127.0.0.1:{server.port}/{DATABASE}"):
                pass
    addresses = {listening.laddr.ip for listening in postmaster_of(server).net_connections() if not listening.raddr}
    assert addresses == {"127.0.0.1"}
    superuser = await server.connect_as_superuser()
    rules = await superuser.fetch("SELECT DISTINCT auth_method FROM pg_hba_file_rules")
    await superuser.close()
    assert [rule["auth_method"] for rule in rules] == ["scram-sha-256"]


async def test_the_accounts_can_do_what_their_name_says_and_no_more(server: PostgresServer) -> None:
    async with connect(server.urls().migrator) as migrator:
        assert await migrator.fetchval("SELECT current_user") == "kawal_owner"
        await migrator.execute("CREATE TABLE IF NOT EXISTS things (id int)")
    for url in (server.urls().app, server.urls().worker):
        async with connect(url) as connection:
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute("CREATE TABLE mine (id int)")
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute("SET ROLE kawal_owner")
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.fetch("SELECT * FROM things")
            mighty = "SELECT rolsuper OR rolbypassrls OR rolcreaterole FROM pg_roles WHERE rolname = current_user"
            assert await connection.fetchval(mighty) is False


async def test_text_is_utf8_and_sorts_by_code_point_on_every_machine(server: PostgresServer) -> None:
    async with connect(server.urls().app) as connection:
        assert await connection.fetchval("SHOW server_encoding") == "UTF8"
        assert (
            await connection.fetchval("SELECT string_agg(w, '' ORDER BY w) FROM unnest('{b,B,é,a}'::text[]) w")
            == "Babé"
        )
        assert await connection.fetchval("SELECT upper('é')") == "É"
        assert await connection.fetchval("SHOW timezone") == "UTC"


async def test_a_value_that_breaks_a_constraint_stays_out_of_the_log(server: PostgresServer) -> None:
    async with connect(server.urls().migrator) as connection:
        await connection.execute("CREATE TABLE people (nik text PRIMARY KEY)")
        for expected in (None, asyncpg.UniqueViolationError):
            insert = connection.execute("INSERT INTO people VALUES ($1)", "3206134107850003")
            if expected is None:
                await insert
            else:
                with pytest.raises(expected):
                    await insert
    assert "people_pkey" in server.log.read_text()
    assert "3206134107850003" not in server.log.read_text()


async def test_only_the_owner_reads_the_passwords_and_the_data(server: PostgresServer) -> None:
    passwords = server.cluster.home / "passwords.json"
    assert stat.S_IMODE(passwords.stat().st_mode) == 0o600
    assert passwords.stat().st_uid == os.geteuid()
    assert stat.S_IMODE(server.cluster.data.stat().st_mode) == 0o700
    assert not (server.cluster.home / "initdb.password").exists()
    assert stat.S_IMODE(server.log.parent.stat().st_mode) == 0o700


@pytest.mark.skipif(os.geteuid() != 0, reason="only root lends accounts")
async def test_a_cluster_stays_with_its_owner_when_a_fitter_account_appears(server: PostgresServer) -> None:
    owner = server.cluster.user
    assert owner is not None
    other = next(ServiceUser(*entry[:1], *entry[2:4]) for entry in pwd.getpwall() if entry.pw_uid not in {0, owner.uid})
    await server.stop()
    again = PostgresServer(server.cluster.home, port=server.port, user=other)
    await again.start()
    assert postmaster_of(again).username() == owner.name
    await again.stop()


async def test_a_cluster_whose_passwords_are_gone_says_which_file(server: PostgresServer) -> None:
    file = server.cluster.home / "passwords.json"
    kept = file.read_text()
    file.unlink()
    with pytest.raises(PostgresError, match=str(file)):
        await server.start()
    write_private(file, kept)
    await server.start()


async def test_an_initialisation_that_was_cut_short_is_begun_again(data_dir: Path) -> None:
    home = cluster_home(data_dir, service_user())
    (home / "data.partial").mkdir()
    (home / "data.partial" / "PG_VERSION").write_text("18")
    async with PostgresServer(home) as server:
        assert server.is_running()
    assert not (home / "data.partial").exists()


async def test_stopping_leaves_no_process(server: PostgresServer) -> None:
    family = [postmaster_of(server), *postmaster_of(server).children(recursive=True)]
    async with connect(server.urls().app) as connection:
        await server.stop()
        with pytest.raises((asyncpg.PostgresError, OSError, asyncpg.InterfaceError)):
            await connection.fetchval("SELECT 1")
    _, alive = psutil.wait_procs(family, timeout=5)
    assert [process for process in alive if process.status() != psutil.STATUS_ZOMBIE] == []
    await server.stop()

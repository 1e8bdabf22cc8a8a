#!/bin/sh
# Write .env beside docker-compose.yml from deploy/env.example, with a fresh secret for everything that is ours to
# make up. An .env that exists is never touched: what its keys sealed would be lost. Needs openssl.
set -eu
cd "$(dirname "$0")/.."
target=${1:-.env}

if [ -e "$target" ]; then
    echo "$target exists and is kept." >&2
    exit 1
fi
umask 077
while IFS= read -r line; do
    case $line in
    POSTGRES_PASSWORD= | DB_*_PASSWORD= | KAWAL_TOKEN_SIGNING_KEY=)
        printf '%s%s\n' "$line" "$(openssl rand -hex 32)" ;;
    KAWAL_FIELD_KEYS= | KAWAL_INDEX_KEYS= | KAWAL_CODEC_KEYS= | KAWAL_CHECKPOINT_KEYS=)
        printf '%sk1:%s\n' "$line" "$(openssl rand -base64 32)" ;;
    *) printf '%s\n' "$line" ;;
    esac
done <deploy/env.example >"$target.part"
mv "$target.part" "$target"
echo "$target written. Still to fill in:"
grep -E '^[A-Z_]+=$' "$target"

#!/bin/sh
# The namespace and the search attributes by which operators find a case. Safe to repeat.
# TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE and RETENTION come from the environment.
set -eu

if ! temporal operator namespace describe --namespace "$TEMPORAL_NAMESPACE" >/dev/null 2>&1; then
    temporal operator namespace create --namespace "$TEMPORAL_NAMESPACE" --retention "$RETENTION"
fi

# Every part of the server learns of a new namespace within seconds.
known() { temporal operator search-attribute list --namespace "$TEMPORAL_NAMESPACE"; }
tries=60
until known >/dev/null 2>&1; do
    tries=$((tries - 1))
    [ "$tries" -gt 0 ] || { known; exit 1; }
    sleep 1
done

search_attribute() {
    known | grep -qw "$1" && return
    temporal operator search-attribute create --namespace "$TEMPORAL_NAMESPACE" --name "$1" --type "$2"
}

search_attribute KawalStage Keyword
search_attribute KawalArea Keyword
search_attribute KawalKind Keyword
search_attribute KawalLevel Int

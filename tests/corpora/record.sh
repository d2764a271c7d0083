#!/usr/bin/env bash
# Records the corpora anew: a scratch PostgreSQL, the kit's Kafka, Connect and registry, four connectors in different modes.
# usage: [KIT=DIR] [PGBIN=DIR] tests/corpora/record.sh      takes about two minutes; needs java, dotnet, PostgreSQL 15 and, as root, setpriv
# Writes *.jsonl, avro-schemas.json and settings.json beside this script. Ports: PGPORT, KIT_BROKER_PORT, KIT_REGISTRY_PORT, KIT_CONNECT_PORT.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
kit="${KIT:-$here/../../../shared/kit}/bin/kit"
pgbin="${PGBIN:-$(ls -d /usr/lib/postgresql/*/bin | head -1)}"
work="$(mktemp -d)"; chmod 755 "$work"
export KIT_DATA="$work/kit" KIT_BROKER_PORT="${KIT_BROKER_PORT:-29092}" KIT_REGISTRY_PORT="${KIT_REGISTRY_PORT:-28081}" KIT_CONNECT_PORT="${KIT_CONNECT_PORT:-28083}" KIT_PARTITIONS=1
export PGHOST=127.0.0.1 PGPORT="${PGPORT:-25432}" PGUSER=postgres PGDATABASE=corpus PGOPTIONS='-c TimeZone=UTC -c lc_monetary=C'
as_postgres() { if [ "$(id -u)" = 0 ]; then setpriv --reuid=postgres --regid=postgres --init-groups "$@"; else "$@"; fi; }
cleanup() { "$kit" wipe >/dev/null 2>&1 || true; as_postgres "$pgbin/pg_ctl" -D "$work/pg/data" -m immediate stop >/dev/null 2>&1 || true; rm -rf "$work"; }
trap cleanup EXIT
await() { # WHAT SECONDS command...
  local what=$1 left=$(($2 * 5)); shift 2
  until "$@" >/dev/null 2>&1; do [ $((left--)) -gt 0 ] || { echo "record: $what did not happen" >&2; "$kit" connector list >&2; tail -50 "$KIT_DATA/connect.log" >&2; exit 1; }; sleep 0.2; done
}
sql() { "$pgbin/psql" -X -q -v ON_ERROR_STOP=1 -A -t "$@"; }

mkdir "$work/pg"; [ "$(id -u)" != 0 ] || chown postgres "$work/pg"
as_postgres "$pgbin/initdb" -D "$work/pg/data" -A trust -U postgres --locale=C.UTF-8 -E UTF8 >/dev/null
as_postgres "$pgbin/pg_ctl" -D "$work/pg/data" -w -l "$work/pg/log" -o "-p $PGPORT -k $work/pg -c listen_addresses=127.0.0.1 -c wal_level=logical -c fsync=off -c timezone=UTC -c max_wal_senders=10 -c max_replication_slots=10" start >/dev/null
PGDATABASE=postgres sql -c 'create database corpus'
sql -f "$here/schema.sql" >/dev/null
"$kit" up

json='"key.converter":"org.apache.kafka.connect.json.JsonConverter","value.converter":"org.apache.kafka.connect.json.JsonConverter","key.converter.replace.null.with.default":"false","value.converter.replace.null.with.default":"false"'
plain="$json"',"key.converter.schemas.enable":"false","value.converter.schemas.enable":"false"'
schemas="$json"',"key.converter.schemas.enable":"true","value.converter.schemas.enable":"true"'
avro=''
for side in key value; do
  avro="$avro,\"$side.converter\":\"io.apicurio.registry.utils.converter.AvroConverter\",\"$side.converter.apicurio.registry.url\":\"http://127.0.0.1:$KIT_REGISTRY_PORT/apis/registry/v2\",\"$side.converter.apicurio.registry.auto-register\":\"true\",\"$side.converter.apicurio.registry.headers.enabled\":\"false\",\"$side.converter.apicurio.registry.as-confluent\":\"true\",\"$side.converter.apicurio.registry.use-id\":\"contentId\""
done
connector() { # NAME PROPERTIES
  cat >"$work/$1.json" <<J
{"connector.class":"io.debezium.connector.postgresql.PostgresConnector","database.hostname":"127.0.0.1","database.port":"$PGPORT","database.user":"postgres","database.password":"x","database.dbname":"corpus",
"topic.prefix":"$1","plugin.name":"pgoutput","slot.name":"$1","publication.name":"$1","publication.autocreate.mode":"filtered","table.exclude.list":"public.expected","snapshot.mode":"initial","skipped.operations":"none",
"poll.interval.ms":"50","heartbeat.interval.ms":"1000","topic.creation.enable":"true","topic.creation.default.partitions":"1","topic.creation.default.replication.factor":"1",
$2}
J
  "$kit" connector put "$1" "$work/$1.json"
}
faithful='"event.converting.failure.handling.mode":"fail","include.unknown.datatypes":"true","decimal.handling.mode":"string","time.precision.mode":"microseconds","interval.handling.mode":"string","binary.handling.mode":"bytes","hstore.handling.mode":"json"'
connector faithful "$faithful,\"signal.data.collection\":\"public.debezium_signal_faithful\",\"provide.transaction.metadata\":\"true\",$plain"
connector defaults "\"hstore.handling.mode\":\"map\",\"binary.handling.mode\":\"hex\",\"include.unknown.datatypes\":\"true\",$schemas"
connector iso "\"time.precision.mode\":\"isostring\",\"binary.handling.mode\":\"base64\",\"decimal.handling.mode\":\"double\",\"include.unknown.datatypes\":\"true\",\"table.exclude.list\":\"public.expected,public.docs\",$plain"
connector avro "\"event.converting.failure.handling.mode\":\"warn\",\"include.unknown.datatypes\":\"true\",\"decimal.handling.mode\":\"precise\",\"time.precision.mode\":\"adaptive\",\"interval.handling.mode\":\"string\",\"hstore.handling.mode\":\"map\",\"schema.name.adjustment.mode\":\"avro\",\"field.name.adjustment.mode\":\"avro_unicode\",\"signal.data.collection\":\"public.debezium_signal_avro\",\"provide.transaction.metadata\":\"true\"$avro"
streaming() { [ "$(sql -c "select count(*) from pg_replication_slots where active and confirmed_flush_lsn is not null")" = 4 ]; }
await "streaming of four connectors" 120 streaming
offsets() { "$kit" offsets "$1" | awk -F: '{n += $3} END {print n + 0}'; }
snapshot_done() { for c in faithful defaults iso avro; do [ "$(offsets "$c.public.zoo")" = 8 ] && [ "$(offsets "$c.public.orders")" = 8 ] || return 1; done; }
await "the snapshots' end" 60 snapshot_done

sql -f "$here/changes.sql" >/dev/null
sql -c "insert into truncated values (9, 'last')" -c "select expect('truncated', 'id = 9')" >/dev/null
streamed() { for c in faithful defaults iso avro; do [ "$(offsets "$c.public.truncated")" = 4 ] || return 1; done; [ "$(offsets faithful.public.orders)" = 19 ] && [ "$(offsets avro.public.orders)" = 19 ]; }
await "the changes" 60 streamed

PROJECT="$here/Record.cs"
for c in faithful defaults iso avro; do
  dotnet run "$PROJECT" -- "127.0.0.1:$KIT_BROKER_PORT" "$c" 1 >"$here/$c.jsonl"
done
sql -c "select json_build_object('table', row_of, 'columns', columns) from expected order by id" >"$here/expected.jsonl"
sql -f "$here/catalog.sql" >"$here/catalog.jsonl"
{
  echo '{'
  separator=''
  for id in $(seq 1 400); do
    schema="$(curl -sf "http://127.0.0.1:$KIT_REGISTRY_PORT/apis/ccompat/v7/schemas/ids/$id" || true)"
    [ -z "$schema" ] || { printf '%s"%s":%s' "$separator" "$id" "$schema"; separator=$',\n'; }
  done
  printf '\n}\n'
} >"$here/avro-schemas.json"
for c in faithful defaults iso avro; do
  printf '{"connector":"%s","config":%s}\n' "$c" "$(tr -d '\n' <"$work/$c.json" | sed "s/$PGPORT/5432/; s/127.0.0.1:$KIT_REGISTRY_PORT/127.0.0.1:8081/g")"
done >"$here/settings.jsonl"
wc -lc "$here"/*.jsonl "$here/avro-schemas.json"

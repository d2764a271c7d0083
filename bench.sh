#!/usr/bin/env bash
# Measures: the whole path against the Debezium JDBC sink and PostgreSQL's own limits (default), decoding and encoding alone (micro), comparing (sides), or closing a side (fence).
# usage: ./bench.sh [compare] [--quick | --tiny | --rows N] [--only …] [--output FOLDER] [--hold] | micro [BenchmarkDotNet's options] | sides | fence
# 'compare' needs ../shared/kit (or CDCM_KIT), PostgreSQL server programs and Java 17; it starts what it measures and stops it again.
# What each number means: docs/benchmarks.md
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1
for project in src/CdcMigrator.Cli tests/CdcMigrator.Benchmarks; do
  if ! output=$(dotnet build "$project" -c Release -v quiet 2>&1); then echo "$output" >&2; exit 1; fi
done
exec ./artifacts/bin/CdcMigrator.Benchmarks/release/CdcMigrator.Benchmarks "$@"

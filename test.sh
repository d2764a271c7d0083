#!/usr/bin/env bash
# Installs what is missing, builds, and runs the three tiers: unit, integration, end to end.
# usage: ./test.sh [unit|integration|e2e ...]      all tiers without arguments
#   CDCM_REQUIRE_E2E=1   a missing kit fails the end-to-end tier instead of skipping it
#   CDCM_KIT=DIR         where the kit is (default ../shared/kit)
#   CDCM_NO_INSTALL=1    install nothing
# The end-to-end tier runs two kits side by side, which take 4 GB of memory.
# Writes TRX reports to artifacts/test-results. Where a tier crashes, the tests that were running and the thread's stack are shown. The last line is "N passed, N failed".
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")" || exit 1
tiers=("$@"); [ $# -gt 0 ] || tiers=(unit integration e2e)
configuration=Release
results="$PWD/artifacts/test-results"
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1

say() { printf '== %s\n' "$*" >&2; }
have() { command -v "$1" >/dev/null 2>&1; }

install_packages() { # Debian packages the tests use; only as root, only what is missing
  local wanted=()
  compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || wanted+=(postgresql)
  have promtool || wanted+=(prometheus)
  have java || wanted+=(openjdk-17-jre-headless)
  have curl || wanted+=(curl)
  [ -x /usr/sbin/mariadbd ] || wanted+=(mariadb-server)
  [ -x /usr/sbin/pgbouncer ] || wanted+=(pgbouncer)
  have setpriv || wanted+=(util-linux)
  [ ${#wanted[@]} -gt 0 ] || return 0
  if [ "${CDCM_NO_INSTALL:-}" = 1 ] || [ "$(id -u)" != 0 ] || ! have apt-get; then
    say "not installed: ${wanted[*]} (install them, or run as root on Debian); tests that need them skip and say so"
    return 0
  fi
  say "installing ${wanted[*]}"
  export DEBIAN_FRONTEND=noninteractive
  # Packages start their servers on install; the tests start their own.
  if [ ! -e /usr/sbin/policy-rc.d ]; then
    printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d && chmod +x /usr/sbin/policy-rc.d
    trap 'rm -f /usr/sbin/policy-rc.d' EXIT
  fi
  { apt-get update -q && apt-get install -y -q --no-install-recommends "${wanted[@]}"; } >"$results/apt.log" 2>&1 ||
    say "apt-get failed: $results/apt.log"
}

fetch_postgres() { # a newer PostgreSQL beside Debian's, for migrations between major versions
  [ "${CDCM_NO_INSTALL:-}" = 1 ] && return 0
  for major in 17 18; do
    dotnet "artifacts/bin/CdcMigrator.Cli/${configuration,,}/cdcm.dll" demo fetch-postgres --major "$major" >>"$results/fetch-postgres.log" 2>&1 ||
      say "PostgreSQL $major could not be fetched ($results/fetch-postgres.log); tests use the versions there are"
  done
}

crashed_thread() { # of a crash report: its frames, innermost first; the module and the place in it where a frame has no name
  awk -F'"' '
    /"crashed": "true"/ { on = 1 }
    on && /"native_thread_id"/ && frames { exit }
    on && $2 == "stack_frames" { frames = 1 }
    frames && $2 == "native_image_offset" { place = $4 }
    frames && $2 == "native_module" { module = $4 }
    frames && ($2 == "method_name" || $2 == "unmanaged_name") { name = $4 }
    frames && /^     }/ { if (name != "" || module != "") print "     " (name != "" ? name : module "+" place); name = module = "" }
  ' "$1" | cut -c1-200 | head -25
}

mkdir -p "$results"; rm -f "$results"/*.trx "$results"/*_crash*
have dotnet || { say "no .NET SDK: install .NET 10"; echo "0 passed, 1 failed"; exit 1; }
install_packages
say "building"
if ! dotnet build CdcMigrator.sln -c "$configuration" -v q >"$results/build.log" 2>&1; then
  grep -E 'error' "$results/build.log" | sort -u | head -40 >&2
  echo "0 passed, 1 failed"; exit 1
fi
fetch_postgres

failed_runs=0
declare -A project=([unit]=UnitTests [integration]=IntegrationTests [e2e]=EndToEndTests)
for tier in "${tiers[@]}"; do
  name=${project[$tier]:-}; [ -n "$name" ] || { say "no tier '$tier': unit, integration, e2e"; exit 2; }
  say "$tier"
  program="artifacts/bin/CdcMigrator.$name/${configuration,,}/CdcMigrator.$name"
  "./$program" --results-directory "$results" --report-trx --report-trx-filename "$tier.trx" \
    --hangdump --hangdump-timeout 15m --hangdump-type None --crash-report --crash-sequence on \
    --progress off --no-ansi --output Normal >"$results/$tier.log" 2>&1
  code=$?
  tail -n 60 "$results/$tier.log" | grep -vE '^\s*$' | tail -n 40 >&2
  [ $code -eq 0 ] || failed_runs=$((failed_runs + 1))
  for report in "$results/CdcMigrator.$name"_*.crashreport.json; do
    [ -e "$report" ] && { say "thread that crashed ($report):"; crashed_thread "$report" >&2; }
  done
  [ -s "$results/$tier.trx" ] || { say "$tier left no report: $results/$tier.log"; failed_runs=$((failed_runs + 1)); }
done

count() { # outcome attribute of the TRX counters, summed
  local total=0 n file
  for file in "$results"/*.trx; do
    [ -e "$file" ] || continue
    n=$(grep -o '<Counters [^>]*' "$file" | grep -oE " $1=\"[0-9]+\"" | grep -oE '[0-9]+' | head -1)
    total=$((total + ${n:-0}))
  done
  echo "$total"
}
passed=$(count passed); failed=$(count failed); skipped=$(count notExecuted)
if [ "$skipped" -gt 0 ]; then
  say "$skipped skipped:"
  grep -hA3 'outcome="NotExecuted"' "$results"/*.trx | grep -oE 'testName="[^"]*"|<Message>[^<]*|<StdOut>[^<]*' | sed 's/<[A-Za-z]*>/  /; s/testName=//' | head -60 >&2
fi
# A tier that crashed has no truthful count of its own: it is one failure more.
[ "$failed" -gt 0 ] || failed=$failed_runs
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]

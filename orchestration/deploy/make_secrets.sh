#!/bin/sh
# Draws the secrets that docker-compose.yml mounts, one file each, and leaves what is there as it is.
#
#   orchestration/deploy/make_secrets.sh [FOLDER]      (default: secrets; `make secrets` calls it)
#
# Files that only you can fill are made empty. The folder is for its owner alone; the files in it can be read by the
# users of the containers, which are not you.
set -eu
folder=${1:-secrets}
umask 077
mkdir -p "$folder"
chmod 700 "$folder"

drawn() { od -An -v -tx1 -N"${1:-24}" /dev/urandom | tr -d ' \n'; }

keep() { # NAME TEXT: writes a file unless it has something in it
  if [ ! -s "$folder/$1" ]; then
    printf '%s' "$2" > "$folder/$1"
    chmod 644 "$folder/$1"
    if [ -n "$2" ]; then echo "made    $folder/$1"; else echo "EMPTY   $folder/$1"; fi
  else
    echo "kept    $folder/$1"
  fi
}

keep postgres_password "$(drawn)"
password=$(cat "$folder/postgres_password")
keep warehouse_url "postgresql://meta_ads:$password@timescaledb:5432/warehouse"
keep dagster_database_url "postgresql://meta_ads:$password@timescaledb:5432/dagster"
keep metabase_db_password "$(drawn)"
keep metabase_encryption_key "$(drawn 32)"
keep metabase_admin_password "$(drawn)-Aa1"
keep redis_password "$(drawn)"
keep celery_broker_url "redis://:$(cat "$folder/redis_password")@redis:6379/0"
keep meta_webhook_verify_token "$(drawn)"
keep meta_access_token ""
keep meta_app_secret ""
keep smtp_password ""
keep oauth2_proxy.cfg "cookie_secret = \"$(drawn 16)\"
# From your identity provider: https://oauth2-proxy.github.io/oauth2-proxy/configuration/providers/
client_id = \"\"
client_secret = \"\"
"

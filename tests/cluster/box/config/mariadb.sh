#!/bin/bash
# What the mysql image's entry point does for Katib: makes the data folder, the root password and the database.
set -eu
data=/var/lib/mysql/datadir
[ -d "$data/mysql" ] || mariadb-install-db --datadir="$data" --auth-root-authentication-method=normal --skip-test-db >/dev/null
# --init-file takes one statement a line
cat > /tmp/init.sql <<S
CREATE DATABASE IF NOT EXISTS \`$MYSQL_DATABASE\`;
ALTER USER 'root'@'localhost' IDENTIFIED BY '$MYSQL_ROOT_PASSWORD';
CREATE USER IF NOT EXISTS 'root'@'%' IDENTIFIED BY '$MYSQL_ROOT_PASSWORD';
GRANT ALL PRIVILEGES ON *.* TO 'root'@'%' WITH GRANT OPTION;
S
exec mariadbd --no-defaults --datadir="$data" --bind-address=0.0.0.0 --socket=/tmp/mysql.sock --pid-file=/tmp/mysql.pid \
    --init-file=/tmp/init.sql

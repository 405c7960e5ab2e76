# SPDX-License-Identifier: MIT
#
# An apt of a test's own, below a folder: it knows the system's archives, as
# sources or in another suite, and changes nothing of the system.

# own_apt FOLDER TYPE [SUITE]: makes one, of the type deb or deb-src. Its options
# into the array `own_apt`.
own_apt() {
  local file
  rm -rf "$1"
  mkdir -p "$1"/{parts,lists/partial,cache/archives/partial}
  for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
    [[ ! -f $file ]] || sed -nE "s/^deb /$2 /p" "$file" |
      sed -E "${3:+s/^([a-z-]+( \[[^]]*\])? [^ ]+) .*/\1 $3 main/}" \
        >>"$1/parts/all.list"
  done
  for file in /etc/apt/sources.list.d/*.sources; do
    [[ ! -f $file ]] ||
      sed "s/^Types:.*/Types: $2/${3:+; s/^Suites:.*/Suites: $3/}" "$file" \
        >"$1/parts/${file##*/}"
  done
  own_apt=(-qq -o Dir::Etc::SourceList=/dev/null
    -o "Dir::Etc::SourceParts=$1/parts" -o "Dir::State::Lists=$1/lists"
    -o "Dir::Cache=$1/cache" -o APT::Sandbox::User=root)
  # Repositories of others need not have that.
  apt-get "${own_apt[@]}" update || true
}

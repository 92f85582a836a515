# The first process in the namespaces: with it, everything in them ends.
#
# Argument: the shared folder, which has the command.
set -eu
folder=$1
# Kubernetes wants mounts that pods can pass on; nothing goes back to the machine.
mount --make-rshared /
mount -t tmpfs -o mode=755 tmpfs "$folder/private"
mount -t tmpfs -o mode=755 tmpfs /run
# What programs write to these fixed places stays here, and what is there can be read.
for name in lib log; do
    mkdir -p "/run/over/$name/upper" "/run/over/$name/work"
    mount -t overlay -o "lowerdir=/var/$name,upperdir=/run/over/$name/upper,workdir=/run/over/$name/work" \
        overlay "/var/$name"
done
# kubelet sets these for the whole machine, unless it finds files in their place.
for name in vm/overcommit_memory vm/panic_on_oom kernel/panic kernel/panic_on_oops \
    kernel/keys/root_maxkeys kernel/keys/root_maxbytes; do
    copy=/run/over/$(echo "$name" | tr / .)
    cat "/proc/sys/$name" >"$copy"
    mount --bind "$copy" "/proc/sys/$name"
done
ip link set lo up
readlink /proc/self/ns/pid >"$folder/processes"
export TMPDIR="$folder/private"
sh "$folder/command"

package server

import (
	"context"
	"errors"
	"strconv"
	"strings"

	goredis "github.com/redis/go-redis/v9"
)

// oldest is the major version of the oldest Redis that can be used: the first with ACLs, and
// the first that is sure to run scripts which ask for the time before they write.
const oldest = 6

// probe writes a key that expires at once, so that a server which would refuse that is told:
// one that is full or cannot save, and a user that may not.
var probe = goredis.NewScript(`local now = redis.call('TIME')
redis.call('SET', KEYS[1], now[1], 'PX', 1)
return now[1]`)

// probeKey is the key that probe writes.
const probeKey = Prefix + "check"

// Check reports why the server called name cannot be used by its client now, nil if it can: it
// answers, is Redis 6 or later or Valkey, is a primary, and runs a script that writes. All
// primaries of a cluster are asked. An error is an *Error.
func Check(ctx context.Context, name string, client goredis.UniversalClient) error {
	var err error
	if cluster, ok := client.(*goredis.ClusterClient); ok {
		err = cluster.ForEachMaster(ctx, func(ctx context.Context, node *goredis.Client) error { return checkInfo(ctx, name, node) })
	} else {
		err = checkInfo(ctx, name, client)
	}
	if err == nil {
		err = probe.Eval(ctx, client, []string{probeKey}).Err()
	}
	if err == nil { // a rule can allow one and not the other
		err = probe.EvalSha(ctx, client, []string{probeKey}).Err()
	}
	if s, ok := errors.AsType[sealed](err); ok { // of a single node
		err = s.err
	}
	return Explain(name, err)
}

// checkInfo asks one server what it is.
func checkInfo(ctx context.Context, name string, client goredis.Cmdable) error {
	text, err := client.Info(ctx).Result()
	if err != nil {
		return err
	}
	info := readInfo(text)
	switch {
	case info["redis_mode"] == "sentinel", info["server_mode"] == "sentinel": // the latter is Valkey's
		return &Error{Server: name, Reason: Other, detail: "it is a sentinel: write redis+sentinel://host:26379/master"}
	case info["loading"] == "1":
		return &Error{Server: name, Reason: Loading}
	case info.isOld():
		return &Error{Server: name, Reason: Version, detail: "it is " + printable(info["redis_version"])}
	case info["role"] == "slave":
		return &Error{Server: name, Reason: ReadOnly}
	}
	return nil
}

// serverInfo is the text of the INFO command, by its names.
type serverInfo map[string]string

func readInfo(text string) serverInfo {
	info := make(serverInfo)
	for line := range strings.Lines(text) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), ":"); ok {
			info[name] = value
		}
	}
	return info
}

// isOld reports whether the server says that it is older than can be used. Valkey tells a
// version of Redis that it is compatible with; what tells none is tried by the script.
func (i serverInfo) isOld() bool {
	major, _, _ := strings.Cut(i["redis_version"], ".")
	n, err := strconv.Atoi(major)
	return err == nil && n < oldest
}

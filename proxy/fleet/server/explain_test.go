package server

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	goredis "github.com/redis/go-redis/v9"
)

// reply is an error that a server replied.
type reply string

func (r reply) Error() string { return string(r) }

// RedisError marks it as such for go-redis.
func (reply) RedisError() {}

// Texts of servers; those of Redis 6 put a script's own error inside another.
func TestExplain_KnowsWhatServersReply(t *testing.T) {
	const in6 = "ERR Error running script (call to f_1): @user_script:2: @user_script: 2: "
	for text, want := range map[string]Reason{
		"WRONGPASS invalid username-password pair or user is disabled.":                                                   Password,
		"NOAUTH Authentication required.":                                                                                 Password,
		"ERR invalid password":                                                                                            Password,
		"ERR AUTH <password> called without any password configured for the default user":                                 Password,
		"NOPERM User fleet has no permissions to run the 'info' command":                                                  Permission,
		"NOPERM this user has no permissions to run the 'info' command or its subcommand":                                 Permission,
		in6 + "The user executing the script can't run this command or subcommand":                                        Permission,
		"ERR ACL failure in script: User fleet has no permissions to run the 'set' command script: 1, on @user_script:2.": Permission,
		"READONLY You can't write against a read only replica.":                                                           ReadOnly,
		in6 + "-READONLY You can't write against a read only replica.":                                                    ReadOnly,
		"MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.":                                ReadOnly,
		"OOM command not allowed when used memory > 'maxmemory'. script: 1, on @user_script:2.":                           Full,
		in6 + "-OOM command not allowed when used memory > 'maxmemory'.":                                                  Full,
		"MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk.":                Disk,
		in6 + "-MISCONF Redis is configured to save RDB snapshots":                                                        Disk,
		"LOADING Redis is loading the dataset in memory":                                                                  Loading,
		"CLUSTERDOWN Hash slot not served":                                                                                Cluster,
		"MOVED 3999 127.0.0.1:6381":                                                                                       Cluster,
		"CROSSSLOT Keys in request don't hash to the same slot":                                                           Cluster,
		"ERR SELECT is not allowed in cluster mode":                                                                       Cluster,
		"ERR This instance has cluster support disabled":                                                                  Cluster,
		"ASK 3999 127.0.0.1:6381":                                                                                         Moving,
		"TRYAGAIN Multiple keys request during rehashing of slot":                                                         Moving,
		"WRONGTYPE Operation against a key holding the wrong kind of value":                                               Foreign,
		in6 + "WRONGTYPE Operation against a key holding the wrong kind of value":                                         Foreign,
		"BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.":                          Busy,
		"NOREPLICAS Not enough good replicas to write.":                                                                   Replicas,
		in6 + "-NOREPLICAS Not enough good replicas to write.":                                                            Replicas,
		"ERR max number of clients reached":                                                                               Clients,
		"ERR DB index is out of range":                                                                                    Database,
		"ERR wrong number of arguments for 'auth' command":                                                                Version,
		"ERR value is not an integer or out of range":                                                                     Other,
	} {
		err := Explain("redis://h:6379", reply(text))
		if ReasonOf(err) != want {
			t.Errorf("%q: got %v, a %q, want a %q", text, err, ReasonOf(err), want)
		}
		if !errors.Is(err, reply(text)) || !strings.HasPrefix(err.Error(), "redis://h:6379 ") {
			t.Errorf("%q: %v", text, err)
		}
		if again := Explain("other", err); again != err { //nolint:errorlint // the same, not wrapped again
			t.Errorf("explained twice: %v", again)
		}
	}
}

func TestExplain_KnowsFailuresOfTheClient(t *testing.T) {
	for err, want := range map[error]Reason{
		context.DeadlineExceeded: Slow, goredis.ErrPoolTimeout: Slow, context.Canceled: Canceled, goredis.ErrClosed: Canceled,
		errors.New("redis: something"): Other,
	} {
		if got := ReasonOf(Explain("h", err)); got != want {
			t.Errorf("%v: a %q, want a %q", err, got, want)
		}
	}
	if err := Explain("h", nil); err != nil || ReasonOf(nil) != "" || ReasonOf(context.Canceled) != "" {
		t.Errorf("no error: %v", err)
	}
}

func TestExplain_BoundsWhatTheServerSays(t *testing.T) {
	err := Explain("h", reply("ERR \x1b[31m"+strings.Repeat("x", 10_000)))
	if len(err.Error()) > 400 || strings.ContainsRune(err.Error(), 0x1b) {
		t.Errorf("%d bytes: %.300q", len(err.Error()), err)
	}
}

func TestReasons_AllHaveAdviceAndAreLabels(t *testing.T) {
	all := Reasons()
	if len(all) != len(advice) {
		t.Errorf("%d reasons, advice for %d", len(all), len(advice))
	}
	for i, reason := range all {
		if advice[reason] == "" || strings.Trim(string(reason), "abcdefghijklmnopqrstuvwxyz") != "" || slices.Index(all, reason) != i {
			t.Errorf("%q: advice %q", reason, advice[reason])
		}
	}
}

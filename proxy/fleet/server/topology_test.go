package server

import (
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"outrigger/test/process"
	"outrigger/test/redisserver"

	goredis "github.com/redis/go-redis/v9"
)

// startCluster starts a cluster of one node.
func startCluster(t *testing.T, kind redisserver.Kind) *redisserver.Server {
	t.Helper()
	_, bus, _ := net.SplitHostPort(process.FreeAddress(t))
	node := redisserver.StartKind(t, kind, "--cluster-enabled", "yes", "--cluster-port", bus)
	run(t, node, "CLUSTER ADDSLOTSRANGE 0 16383")
	s, client := open(t, "redis+cluster://"+node.Addr)
	eventually(t, "the cluster is up", func() error { return Check(t.Context(), s.Name, client) })
	return node
}

func TestCheck_AcceptsACluster(t *testing.T) {
	onEveryKind(t, func(t *testing.T, kind redisserver.Kind) {
		node := startCluster(t, kind)
		run(t, node, "ACL SETUSER fleet on >s3cret "+Access)
		if err := check(t, "redis+cluster://fleet:s3cret@"+node.Addr); err != nil {
			t.Errorf("with the rule that is advised: %v", err)
		}
		run(t, node, "CLUSTER DELSLOTSRANGE 0 16383")
		expect(t, check(t, "redis://"+node.Addr), Cluster, "CLUSTER INFO")
		single := redisserver.StartKind(t, kind)
		expect(t, check(t, "redis+cluster://"+single.Addr), Cluster, "it is no cluster")
	})
}

// Two nodes with half of the slots each: what a key is needs the right one, wherever the
// client begins.
func TestClient_FindsTheNodeOfAKey(t *testing.T) {
	onEveryKind(t, func(t *testing.T, kind redisserver.Kind) {
		var nodes [2]*redisserver.Server
		var buses [2]string
		for i := range nodes {
			_, buses[i], _ = net.SplitHostPort(process.FreeAddress(t))
			nodes[i] = redisserver.StartKind(t, kind, "--cluster-enabled", "yes", "--cluster-port", buses[i])
		}
		host, port, _ := net.SplitHostPort(nodes[1].Addr)
		run(t, nodes[0], "CLUSTER ADDSLOTSRANGE 0 8191", "CLUSTER MEET "+host+" "+port+" "+buses[1])
		run(t, nodes[1], "CLUSTER ADDSLOTSRANGE 8192 16383")
		s, client := open(t, "redis+cluster://"+nodes[1].Addr)
		script := goredis.NewScript(`return redis.call('INCR', KEYS[1])`)
		eventually(t, "both nodes serve", func() error {
			if err := Check(t.Context(), s.Name, client); err != nil {
				return err
			}
			for _, tag := range []string{"a", "b", "c", "d", "e", "f"} {
				if err := script.Run(t.Context(), client, []string{Prefix + "{" + tag + "}"}).Err(); err != nil {
					return err
				}
			}
			return nil
		})
	})
}

// A replica that took over is found soon, although go-redis by itself keeps to the node that is
// gone.
func TestClient_FollowsAFailoverOfACluster(t *testing.T) {
	onEveryKind(t, func(t *testing.T, kind redisserver.Kind) {
		primary := startCluster(t, kind)
		_, bus, _ := net.SplitHostPort(process.FreeAddress(t))
		replica := redisserver.StartKind(t, kind, "--cluster-enabled", "yes", "--cluster-port", bus)
		host, port, _ := net.SplitHostPort(replica.Addr)
		run(t, primary, "CLUSTER MEET "+host+" "+port+" "+bus)
		admin := goredis.NewClient(&goredis.Options{Addr: primary.Addr, Protocol: 2})
		id := admin.Do(t.Context(), "CLUSTER", "MYID").Val()
		_ = admin.Close()
		second := goredis.NewClient(&goredis.Options{Addr: replica.Addr, Protocol: 2})
		defer func() { _ = second.Close() }()
		eventually(t, "they know each other", func() error { return second.Do(t.Context(), "CLUSTER", "REPLICATE", id).Err() })
		s, client := open(t, "redis+cluster://"+primary.Addr+","+replica.Addr)
		eventually(t, "the replica has the data", func() error {
			if err := Check(t.Context(), s.Name, client); err != nil {
				return err
			}
			if info := second.Info(t.Context(), "replication").Val(); !strings.Contains(info, "master_link_status:up") {
				return errors.New(info)
			}
			return nil
		})
		primary.Stop(t)
		run(t, replica, "CLUSTER FAILOVER TAKEOVER")
		before := time.Now()
		script := goredis.NewScript(`return redis.call('INCR', KEYS[1])`)
		eventually(t, "the replica serves", func() error { return script.Run(t.Context(), client, []string{Prefix + "{a}"}).Err() })
		if took := time.Since(before); took > 5*time.Second {
			t.Errorf("it was used after %v", took)
		}
	})
}

func TestCheck_FollowsSentinels(t *testing.T) {
	onEveryKind(t, func(t *testing.T, kind redisserver.Kind) {
		primary := redisserver.StartKind(t, kind)
		host, port, _ := net.SplitHostPort(primary.Addr)
		replica := redisserver.StartKind(t, kind, "--replicaof", host+" "+port)
		sentinel := primary.StartSentinel(t, "mymaster")
		raw := "redis+sentinel://" + sentinel.Addr + "/mymaster/1"
		s, client := open(t, raw)
		if err := Check(t.Context(), s.Name, client); err != nil {
			t.Fatal(err)
		}
		expect(t, check(t, "redis+sentinel://"+sentinel.Addr+"/other"), Unreachable, "no primary under the name")
		expect(t, check(t, "redis://"+sentinel.Addr), Other, "it is a sentinel")

		watching := goredis.NewSentinelClient(&goredis.Options{Addr: sentinel.Addr, Protocol: 2})
		defer func() { _ = watching.Close() }()
		eventually(t, "the sentinel knows the replica", func() error {
			known, err := watching.Replicas(t.Context(), "mymaster").Result()
			if err == nil && (len(known) == 0 || known[0]["master-link-status"] != "ok") {
				return goredis.Nil
			}
			return err
		})
		primary.Stop(t)
		before := time.Now()
		eventually(t, "the replica is the primary", func() error { return Check(t.Context(), s.Name, client) })
		t.Logf("the replica was used after %v", time.Since(before))
		run(t, replica, "PING")
	})
}

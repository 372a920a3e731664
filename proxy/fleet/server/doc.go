// Package server is the connection to the Redis or Valkey that a fleet of sidecars shares:
// what its URL may say, the client, whether the server can be used, and what its errors
// mean.
//
// # URLs
//
//	redis://[user:password@]host[:6379][/database]
//	redis+sentinel://[user:password@]host[:26379],host,.../master[/database]
//	redis+cluster://[user:password@]host[:6379],host,...
//
// With rediss in place of redis the connection uses TLS, towards sentinels too. valkey and
// valkeys are other names for redis and rediss. In user and password, the characters / ? # @
// and % are written as %2F %3F %23 %40 %25. Options follow as a query:
//
//	ca               file of PEM certificates that are trusted beside the system's
//	cert, key        files of the client certificate and its key, where the server wants one
//	server_name      name that the server's certificate must have; without it the host's
//	sentinel_user    user at the sentinels, which do not get the one before the hosts
//	sentinel_password
//
// # Deadlines
//
// Every call ends with its context, and after a second at the latest. Nothing that may have
// been carried out is sent again, so that a script runs at most once per call.
package server

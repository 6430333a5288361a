/** A complete teal.yaml: every key once, with the value of its default where it has one that says something. */
export const EXAMPLE = `version: 1

proxy:
  listen: ["127.0.0.1:8080"]           # numeric addresses; [::1]:8080 and port 0 (a free one) work too
  trustedProxies: ["127.0.0.0/8", "::1"]   # who may say who asked
  forwarded: x-forwarded               # or rfc7239, both, none
  requestId: keep                      # or keepTrusted, replace
  traceparent: pass                    # or create
  timeouts: { head: 30s, idle: 65s, connect: 2s, response: 60s, body: 60s, write: 2m, tunnel: 1h }
  limits: { headBytes: 32KiB, headFields: 200, bodyBytes: 10MiB, connections: 50000 }   # bodyBytes: none unless said
  accessLog: { to: file, fileBytes: 100MiB, files: 5 }   # to: none unless said
  refusedLines: 10                     # a minute, in proxy.log

server:
  listen: 127.0.0.1:8325               # the API over TCP, there while a token exists
  hosts: [teal.example.com]            # names, beside localhost, that calls may come to it by

services:
  web:                                 # the name of the service
    release:
      git: .                           # or dir: ./app, or tarball: ./dist; without it: the command uses $TEAL_VERSION
      path: app

    environment:
      driver: process
      command: node server.js          # a list runs without a shell: ["node", "server.js"]
      count: 2
      env:
        NODE_ENV: production
        DB_URL: "\${env:DB_URL}"        # from the environment of teal deploy
      envFiles: [./prod.env]
      stop: { signal: SIGTERM, timeout: 30s }
      user: www-data                   # without it: Teal's own user

    health:
      path: /health
      status: 200
      interval: 1s
      timeout: 500ms
      healthyAfter: 2
      unhealthyAfter: 3
      deadline: 60s

    traffic:
      driver: embedded
      hosts: [shop.example.com]        # none: every host
      paths: [/]
      drain: 30s
      longLived: 5m
      onControllerLoss: revert         # or keep
      affinity: { cookie: session }    # or { header: X-User }, or clientAddress; without it: none
      maintenance:                     # what teal maintenance on and hold do
        page: ./maintenance.html       # without it: a page of Teal's
        status: 503
        retryAfter: 60s
        allow: [203.0.113.0/24]        # clients that get the app all the same
        hold: { deadline: 30s, most: 1000, longest: 5m, endsIn: off }

    deploy:
      validate:
        endpoint: /deployment/validate
        smoke: ./smoke.sh
        checks:
          - { path: /, status: 200, body: Welcome, within: 2s }
        deadline: 5m
      approval: none                   # or beforeShift
      shift:                           # 100 is implied
        - { weight: 10, for: 60s }
        - { weight: 50, for: 60s }
      advance: both                    # or time, or evidence
      maxWait: 30m
      guardrails:
        minRequests: 1
        alpha: 0.001                   # a false alarm in a thousand good releases
        errorRate: { warn: 3%, hold: 4%, rollBack: 5% }
        worseThanActive: rollBack      # or hold, warn, none
        latency:
          p50: { warn: 1.5x }
          p95: { warn: 800ms, rollBack: 2x }
          p99: { hold: 5s }
        activeUsers: { warn: 20%, hold: 40%, window: 1m }  # by traffic.affinity
        databaseErrors: { warn: 0.1%, hold: 0.5%, rollBack: 1%, every: 5s, timeout: 2s }   # of what validate.endpoint says
        connectionPool: { warn: 80%, hold: 90%, readings: 3 }
        custom:                        # numbers of your own: docs/guardrails.md
          - name: queue-lag
            prometheus:
              url: http://127.0.0.1:9090
              query: max(queue_lag_seconds{env="$environment"})
              auth: { bearer: "\${env:METRICS_TOKEN}" }
            warn: 30
            hold: 60
            rollBack: 2x
            direction: above           # or below
            every: 5s
            timeout: 2s
            readings: 3
          - name: failed-jobs
            prometheus:
              url: http://127.0.0.1:9090
              query: sum(jobs_failed_total{env="$environment"})
              total: sum(jobs_total{env="$environment"})
            rollBack: 5%
          - name: healthy-hosts
            cloudwatch:
              region: eu-central-1     # without it: as the AWS environment says
              namespace: AWS/ApplicationELB
              metric: HealthyHostCount
              dimensions: { TargetGroup: "$environment" }
              statistic: Minimum
              period: 60s
            hold: 2
            direction: below
          - name: mail-queue
            http: { url: "http://127.0.0.1:8025/state", pointer: /queue/used, of: /queue/size, auth: { user: teal, password: "\${env:METRICS_TOKEN}" } }
            warn: 80%
          - name: lost-carts
            http: { path: /carts, pointer: /carts/lost, total: /carts/all }
            rollBack: 1%
      probes:                          # Teal's own requests, where users are few
        checks:
          - { path: /, status: 200, body: Welcome, within: 2s }
        every: 1s
        timeout: 5s
      bake: { for: 15m, holdback: 1 }  # or 15m: nothing stays on the old environment
      keepStandby: 24h
      keepReleases: 5

    database:
      url: "\${env:DB_URL}"
      expand: npm run migrate
      contract: npm run migrate:contract

    notify:
      - webhook: "\${file:./hook.url}"  # the contents of a file
`;

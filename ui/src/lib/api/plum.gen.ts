/* Types of plum.dev/v1, made from its OpenAPI document: `npm run types` writes them. Do not edit. */
export type components = {
    schemas: {
        /** @description Which agent speaks for the node. */
        AgentInfo: {
            /**
             * @description plum, or v1 for the agent of the original Plum. By default plum.
             * @default plum
             * @enum {string}
             */
            name: "plum" | "v1";
            /**
             * @description The version of the agent.
             * @default
             */
            version: string;
        };
        /** @description One upload of one version of an app. */
        App: {
            /**
             * @description The group and version of the kind; with `kind` it says what the object is.
             * @default plum.dev/v1
             * @enum {string}
             */
            apiVersion: "plum.dev/v1";
            /**
             * @description The kind of the object, for example Task.
             * @default App
             * @enum {string}
             */
            kind: "App";
            /** @description Who the object is: names, labels, owners, and what the server keeps account of. */
            metadata?: components["schemas"]["ObjectMeta"];
            /** @description What the archive says of itself, and its digest. */
            spec: components["schemas"]["AppSpec"];
        };
        /** @description A list of apps. */
        AppList: {
            /**
             * @description The group and version of the kind.
             * @default plum.dev/v1
             * @enum {string}
             */
            apiVersion: "plum.dev/v1";
            /**
             * @description Always AppList.
             * @default AppList
             * @enum {string}
             */
            kind: "AppList";
            /** @description What the list says of itself. */
            metadata: components["schemas"]["ListMeta"];
            /** @description The objects. */
            items: components["schemas"]["App"][];
        };
        /** @description An uploaded app by name and version; the newest upload of the pair is meant. */
        AppReference: {
            /** @description The name of the app, as its `meta.ini` says it. */
            name: string;
            /** @description The version of the app, as its `meta.ini` says it. */
            version: string;
        };
        /** @description A `service=` line of `meta.ini`: what every copy of the app offers. */
        AppService: {
            /** @description The name under which the copies are found. */
            name: string;
            /** @description What is spoken there, for example http. */
            protocol: string;
            /**
             * Format: int64
             * @description The port that the app listens on.
             */
            port: number;
        };
        /** @description What was uploaded; it never changes. */
        AppSpec: {
            /** @description The name of the app, as its `meta.ini` says it. */
            name: string;
            /** @description The version of the app, as its `meta.ini` says it. */
            version: string;
            /** @description Digest of the archive; the blob is at `/artifacts/sha256/<sha256>`. */
            sha256: string;
            /**
             * Format: int64
             * @description The size of the archive in bytes.
             */
            sizeBytes: number;
            /** @description What its `meta.ini` declares; shown, while agents read it from the archive itself. */
            services?: components["schemas"]["AppService"][];
        };
        /** @description One copy of one entry of a task. */
        Assignment: {
            /**
             * @description The group and version of the kind; with `kind` it says what the object is.
             * @default plum.dev/v1
             * @enum {string}
             */
            apiVersion: "plum.dev/v1";
            /**
             * @description The kind of the object, for example Task.
             * @default Assignment
             * @enum {string}
             */
            kind: "Assignment";
            /** @description Who the object is: names, labels, owners, and what the server keeps account of. */
            metadata?: components["schemas"]["ObjectMeta"];
            /** @description What the agent obeys. */
            spec: components["schemas"]["AssignmentSpec"];
            /** @description What has become of it. */
            status?: components["schemas"]["AssignmentStatus"];
        };
        /** @description A list of assignments. */
        AssignmentList: {
            /**
             * @description The group and version of the kind.
             * @default plum.dev/v1
             * @enum {string}
             */
            apiVersion: "plum.dev/v1";
            /**
             * @description Always AssignmentList.
             * @default AssignmentList
             * @enum {string}
             */
            kind: "AssignmentList";
            /** @description What the list says of itself. */
            metadata: components["schemas"]["ListMeta"];
            /** @description The objects. */
            items: components["schemas"]["Assignment"][];
        };
        /** @description Which copy, where, and whether it should run. */
        AssignmentSpec: {
            /** @description The task that the copy is of. */
            taskName: string;
            /** @description The entry of the task that the copy is of. */
            entry: string;
            /** @description The node that `nodeReplicas` names; empty where the scheduler places. */
            home?: string;
            /**
             * Format: int64
             * @description Which copy of the entry in its home it is, counted from 0.
             * @default 0
             */
            ordinal: number;
            /**
             * Format: int64
             * @description Grows with every new assignment of the slot, so that a name does not come back.
             * @default 0
             */
            attempt: number;
            /** @description The assignment of the same slot that this one follows; it starts when that one has ended. */
            replaces?: string;
            /** @description Set once: by the controller for a home, else by the scheduler. */
            nodeName?: string;
            /**
             * @description What people asked for last; the agent obeys it. By default Running.
             * @default Running
             * @enum {string}
             */
            desired: "Running" | "Stopped";
            /**
             * @description The task's state when the controller last copied it. By default Running.
             * @default Running
             * @enum {string}
             */
            taskState: "Running" | "Stopped";
            /** @description What the node needs to run it. */
            template: components["schemas"]["Template"];
            /** @description A digest of the template: copies with the same one run the same. */
            templateHash: string;
        };
        /** @description What the agent saw. */
        AssignmentStatus: {
            /**
             * @description Pending (no node yet), Preparing (the artifact is fetched), Running (whether it is ready is the condition Ready), Stopping, Stopped, Exited (code 0), Failed (another code, or a signal), BackOff (waits before the next start), Unknown (its node is silent).
             * @enum {string}
             */
            phase?: "Pending" | "Preparing" | "Running" | "Stopping" | "Stopped" | "Exited" | "Failed" | "BackOff" | "Unknown";
            /** @description Why, in a CamelCase word for programs. */
            reason?: string;
            /** @description Why, in a sentence for people. */
            message?: string;
            /**
             * Format: int64
             * @description The last exit's code, if the process ended by itself.
             */
            exitCode?: number;
            /**
             * Format: int64
             * @description The signal that ended the process last, if one did.
             */
            signal?: number;
            /**
             * Format: int64
             * @description How often the process has been started again after it had ended.
             * @default 0
             */
            restarts: number;
            /**
             * Format: int64
             * @description The process id of the instance's first process on its node.
             */
            pid?: number;
            /** @description The address of the node. */
            ip?: string;
            /** @description The ports as the process got them. */
            ports?: components["schemas"]["PortStatus"][];
            /** @description What the app's `meta.ini` and its entry declare, with the ports as they are. */
            services?: components["schemas"]["Offer"][];
            /**
             * Format: date-time
             * @description When the process started last.
             */
            startedAt?: string;
            /**
             * Format: date-time
             * @description When the process ended last.
             */
            finishedAt?: string;
            /**
             * Format: date-time
             * @description When the process that ended last had started.
             */
            previousStartedAt?: string;
            /**
             * Format: date-time
             * @description When the agent wrote the status.
             */
            reportedAt?: string;
            /** @description Placed: it has a node. Prepared: what it runs is on the node. Ready: it can be used. */
            conditions?: components["schemas"]["Condition"][];
        };
        /** @description One path that a change changed. */
        Change: {
            /** @description For example `spec.entries[main].startCmd`. */
            path: string;
            /** @description The value before; absent where there was none. Long values are cut, as text. */
            from?: unknown;
            /** @description The value after; absent where there is none. */
            to?: unknown;
        };
        /** @description One address of a service. */
        Endpoint: {
            /**
             * @description The group and version of the kind; with `kind` it says what the object is.
             * @default plum.dev/v1
             * @enum {string}
             */
            apiVersion: "plum.dev/v1";
            /**
             * @description The kind of the object, for example Task.
             * @default Endpoint
             * @enum {string}
             */
            kind: "Endpoint";
            /** @description Who the object is: names, labels, owners, and what the server keeps account of. */
            metadata?: components["schemas"]["ObjectMeta"];
            /** @description What somebody has registered. */
            spec: components["schemas"]["EndpointSpec"];
            /** @description What became of it. */
            status?: components["schemas"]["EndpointStatus"];
        };
        /** @description A list of endpoints. */
        EndpointList: {
            /**
             * @description The group and version of the kind.
             * @default plum.dev/v1
             * @enum {string}
             */
            apiVersion: "plum.dev/v1";
            /**
             * @description Always EndpointList.
             * @default EndpointList
             * @enum {string}
             */
            kind: "EndpointList";
            /** @description What the list says of itself. */
            metadata: components["schemas"]["ListMeta"];
            /** @description The objects. */
            items: components["schemas"]["Endpoint"][];
        };
        /** @description What is offered, by whom, and where. */
        EndpointSpec: {
            /** @description The name under which it is found. */
            service: string;
            /** @description The instance that answers; empty for what does not run in Plum. */
            assignment?: string;
            /** @description Where the instance runs. */
            nodeName?: string;
            /** @description Where it answers: an address or a host name. */
            ip: string;
            /**
             * Format: int64
             * @description The port that it answers on.
             */
            port: number;
            /**
             * @description What is spoken there, for example http. By default tcp.
             * @default tcp
             */
            protocol: string;
            /** @description Of the app, or of what it offers. */
            version?: string;
            /** @description Notes for those who look it up; any text. */
            labels?: {
                [key: string]: string;
            };
            /** @description What the app itself says of its health; it counts instead of the instance's readiness. */
            healthOverride?: boolean;
            /**
             * Format: int64
             * @description How long after a sign of life from its registrant it counts; without: as long as its instance does.
             */
            leaseSeconds?: number;
        };
        /** @description Whether it can be used. */
        EndpointStatus: {
            /**
             * @description Whether clients should use it.
             * @default false
             */
            healthy: boolean;
            /** @description Why, in a word for programs. */
            reason?: string;
            /**
             * Format: date-time
             * @description The last sign of life before `healthy` changed last.
             */
            lastSeen?: string;
        };
        /** @description One program of the task: what to run, how many copies, and where. */
        Entry: {
            /** @description Unique within the task; by default main, main-2, … */
            name?: string;
            /** @description The app to run; or give `artifactUrl`. */
            app?: components["schemas"]["AppReference"];
            /** @description A zip to run: a path of this server or an http(s) URL. Give `sha256` with it unless it is an upload's: else nodes take what they find there, which may differ from one to the next. */
            artifactUrl?: string;
            /** @description The digest that the artifact must have. */
            sha256?: string;
            /** @description Run by `/bin/sh -c` in the instance's own folder; empty means `./start.sh`. */
            startCmd?: string;
            /**
             * Format: int64
             * @description How many copies the scheduler places; 1 if `nodeReplicas` is not given either.
             */
            replicas?: number;
            /** @description How many copies run on which node; instead of `replicas`. */
            nodeReplicas?: {
                [key: string]: number;
            };
            /** @description Environment variables. */
            env?: components["schemas"]["EnvVar"][];
            /** @description Ports the app listens on. */
            ports?: components["schemas"]["Port"][];
            /** @description What the copies are found under, besides what the app's `meta.ini` says; a name in both means this one. */
            services?: components["schemas"]["OfferedService"][];
            /** @description Labels of the entry's assignments. */
            labels?: {
                [key: string]: string;
            };
            /**
             * @description When an ended process is started again. By default Always.
             * @default Always
             * @enum {string}
             */
            restartPolicy: "Always" | "OnFailure" | "Never";
            /**
             * Format: int64
             * @description Seconds between the stop signal and KILL. By default 5.
             * @default 5
             */
            terminationGracePeriodSeconds: number;
            /**
             * @description The signal that asks the process group to end. By default TERM.
             * @default TERM
             * @enum {string}
             */
            stopSignal: "TERM" | "INT" | "QUIT" | "HUP" | "USR1" | "USR2" | "KILL";
            /** @description Entries of this task that must be ready, or have completed, before a copy of this one starts. */
            dependsOn?: string[];
            /** @description How it is found out whether a copy has started, is ready and is alive. */
            probes?: components["schemas"]["Probes"];
            /** @description How much is kept of what the copies write; by default 5 rotated files of 10Mi. */
            logs?: components["schemas"]["Logs"];
        };
        /** @description Where one entry stands. */
        EntryStatus: {
            /** @description The name of the entry. */
            name: string;
            /**
             * Format: int64
             * @description How many copies are wanted.
             * @default 0
             */
            desired: number;
            /**
             * Format: int64
             * @description How many copies have a running process.
             * @default 0
             */
            running: number;
            /**
             * Format: int64
             * @description How many copies are ready.
             * @default 0
             */
            ready: number;
            /**
             * @description The artifact's digest, pinned when the spec changed last.
             * @default
             */
            sha256: string;
            /**
             * @description Where nodes fetch that artifact.
             * @default
             */
            artifactUrl: string;
        };
        /** @description One environment variable. */
        EnvVar: {
            /** @description Letters, digits and `_`, not starting with a digit. Names that start with `PLUM_` are set by the agent. */
            name: string;
            /**
             * @description The value, as it is; nothing in it is expanded.
             * @default
             */
            value: string;
        };
        /** @description Passes if a command ends with code 0. All that it leaves behind is killed. */
        ExecCommand: {
            /** @description The program and its arguments, run in the instance's folder and environment, without a shell. */
            command: string[];
        };
        /** @description One change of an object. */
        HistoryItem: {
            /** @description The resourceVersion that it made. */
            version: string;
            /**
             * Format: date-time
             * @description When, by the server's clock.
             */
            time: string;
            /**
             * @description What happened to the object.
             * @enum {string}
             */
            type: "ADDED" | "MODIFIED" | "DELETED";
            /** @description Who made it. */
            user: string;
            /** @description The field manager by which it was made. */
            manager: string;
            /** @description The uid of the object: one of the same name may have been there before. */
            uid: string;
            /**
             * Format: int64
             * @description The object's generation after it.
             */
            generation: number;
            /** @description The paths that differ, at most 100. */
            changes: components["schemas"]["Change"][];
            /**
             * Format: int64
             * @description How many paths more there are.
             */
            omitted?: number;
            /** @description Whether the state before is not known any more, so that nothing can be told. */
            truncated?: boolean;
        };
        /** @description What became of an object, newest first. */
        HistoryList: {
            /**
             * @description Always plum.dev/v1.
             * @default plum.dev/v1
             * @enum {string}
             */
            apiVersion: "plum.dev/v1";
            /**
             * @description Always HistoryList.
             * @default HistoryList
             * @enum {string}
             */
            kind: "HistoryList";
            /** @description The page. */
            metadata: components["schemas"]["ListMeta"];
            /** @description The changes. */
            items: components["schemas"]["HistoryItem"][];
        };
        /** @description Passes if a GET is answered with a status of 200 to 399. Redirects are not followed. */
        HttpGet: {
            /** @description A number, or the name of one of the entry's ports. */
            port: components["schemas"]["IntOrString"];
            /**
             * @description The path of the request, and its query. By default /.
             * @default /
             */
            path: string;
            /**
             * @description With https, certificates are not verified. By default http.
             * @default http
             * @enum {string}
             */
            scheme: "http" | "https";
            /** @description Where to connect to; empty: 127.0.0.1. */
            host?: string;
            /** @description Headers of the request, beside those that every request has. */
            httpHeaders?: components["schemas"]["HttpHeader"][];
        };
        /** @description A header of the probe's request. */
        HttpHeader: {
            /** @description The name of the header. */
            name: string;
            /**
             * @description Empty for User-Agent and Accept: the request goes without.
             * @default
             */
            value: string;
        };
        /** @description What the process tree of one instance uses. Rates are means since the look before, and absent where there was none. */
        InstanceUsage: {
            /** @description The assignment's. */
            namespace: string;
            /** @description The assignment's. */
            name: string;
            /** @description The assignment's. */
            uid: string;
            /**
             * Format: int64
             * @description Which start of the process it is; the counters (`…Seconds`, `…Bytes` of I/O) begin anew with each.
             * @default 0
             */
            run: number;
            /**
             * Format: int64
             * @description How often it has been started again.
             * @default 0
             */
            restarts: number;
            /**
             * Format: int64
             * @description Processes of the tree.
             * @default 0
             */
            processes: number;
            /**
             * Format: int64
             * @description Threads of the tree.
             * @default 0
             */
            threads: number;
            /**
             * Format: int64
             * @description Open file descriptors of the tree.
             * @default 0
             */
            openFds: number;
            /**
             * Format: int64
             * @description Resident memory that is not shared with files: what would be free if the tree ended.
             * @default 0
             */
            memoryBytes: number;
            /**
             * Format: double
             * @description Processor time used since its start, in seconds.
             * @default 0
             */
            cpuSeconds: number;
            /**
             * Format: double
             * @description Processors, 0.25 for a quarter of one.
             */
            cpu?: number;
            /**
             * Format: int64
             * @description From storage; what the page cache answers is not counted.
             * @default 0
             */
            readBytes: number;
            /**
             * Format: int64
             * @description To storage.
             * @default 0
             */
            writtenBytes: number;
            /**
             * Format: double
             * @description Bytes a second.
             */
            readRate?: number;
            /**
             * Format: double
             * @description Bytes a second.
             */
            writeRate?: number;
        };
        /** @description How much is kept on the node of what a copy writes: `maxFiles` rotated files of about `maxSize`, and the present one. */
        Logs: {
            /**
             * @description The size at which the log is rotated, between 64Ki and 1Ti. By default 10Mi.
             * @default 10Mi
             */
            maxSize: components["schemas"]["IntOrString"];
            /**
             * Format: int64
             * @description How many rotated files are kept. By default 5.
             * @default 5
             */
            maxFiles: number;
        };
        /** @description One machine of the fleet. */
        Node: {
            /**
             * @description The group and version of the kind; with `kind` it says what the object is.
             * @default plum.dev/v1
             * @enum {string}
             */
            apiVersion: "plum.dev/v1";
            /**
             * @description The kind of the object, for example Task.
             * @default Node
             * @enum {string}
             */
            kind: "Node";
            /** @description Who the object is: names, labels, owners, and what the server keeps account of. */
            metadata?: components["schemas"]["ObjectMeta"];
            /** @description What is wanted of the machine. */
            spec?: components["schemas"]["NodeSpec"];
            /** @description What the machine is, and how it is. */
            status?: components["schemas"]["NodeStatus"];
        };
        /** @description A list of nodes. */
        NodeList: {
            /**
             * @description The group and version of the kind.
             * @default plum.dev/v1
             * @enum {string}
             */
            apiVersion: "plum.dev/v1";
            /**
             * @description Always NodeList.
             * @default NodeList
             * @enum {string}
             */
            kind: "NodeList";
            /** @description What the list says of itself. */
            metadata: components["schemas"]["ListMeta"];
            /** @description The objects. */
            items: components["schemas"]["Node"][];
        };
        /** @description What people decide about the machine. */
        NodeSpec: {
            /** @description Whether the scheduler passes it over; what runs there goes on. */
            unschedulable?: boolean;
        };
        /** @description What the agent and the node controller know about the machine. */
        NodeStatus: {
            /**
             * @description The address of the machine, under which its instances are reached.
             * @default
             */
            ip: string;
            /** @description Which agent speaks for the node. */
            agent?: components["schemas"]["AgentInfo"];
            /**
             * @description Changes with every boot of the machine.
             * @default
             */
            bootID: string;
            /** @description What the machine has. */
            capacity?: components["schemas"]["Resources"];
            /**
             * @description The ports that the agent gives out, `first-last`.
             * @default
             */
            portRange: string;
            /** @description Ready: its agent is alive, and starts what it is told to. */
            conditions?: components["schemas"]["Condition"][];
        };
        /** @description What became of the reported statuses, in their order. */
        NodeStatuses: {
            /**
             * @description Always plum.dev/v1.
             * @default plum.dev/v1
             * @enum {string}
             */
            apiVersion: "plum.dev/v1";
            /**
             * @description Always NodeStatuses.
             * @default NodeStatuses
             * @enum {string}
             */
            kind: "NodeStatuses";
            /** @description One for each status. */
            items: components["schemas"]["StatusAnswer"][];
        };
        /** @description What is used of a machine, by whatever runs on it. */
        NodeUsage: {
            /**
             * Format: int64
             * @description Processors of the machine.
             * @default 0
             */
            cpus: number;
            /**
             * Format: double
             * @description Processor time used since the machine started, in seconds.
             * @default 0
             */
            cpuSeconds: number;
            /**
             * Format: double
             * @description Processors, 1.5 for one and a half of `cpus`.
             */
            cpu?: number;
            /**
             * Format: int64
             * @description What new programs could not have.
             * @default 0
             */
            memoryBytes: number;
            /**
             * Format: int64
             * @description Memory of the machine.
             * @default 0
             */
            memoryTotalBytes: number;
            /**
             * Format: int64
             * @description Where the agent keeps its data.
             * @default 0
             */
            diskFreeBytes: number;
            /**
             * Format: int64
             * @description The size of the file system where the agent keeps its data.
             * @default 0
             */
            diskTotalBytes: number;
            /**
             * Format: double
             * @description Load average over a minute.
             * @default 0
             */
            load1: number;
            /**
             * Format: double
             * @description Load average over five minutes.
             * @default 0
             */
            load5: number;
            /**
             * Format: double
             * @description Load average over a quarter of an hour.
             * @default 0
             */
            load15: number;
        };
        /** @description What is used of a node, and by which instances. */
        NodeUsageDetails: {
            /**
             * Format: int64
             * @description Processors of the machine.
             * @default 0
             */
            cpus: number;
            /**
             * Format: double
             * @description Processor time used since the machine started, in seconds.
             * @default 0
             */
            cpuSeconds: number;
            /**
             * Format: double
             * @description Processors, 1.5 for one and a half of `cpus`.
             */
            cpu?: number;
            /**
             * Format: int64
             * @description What new programs could not have.
             * @default 0
             */
            memoryBytes: number;
            /**
             * Format: int64
             * @description Memory of the machine.
             * @default 0
             */
            memoryTotalBytes: number;
            /**
             * Format: int64
             * @description Where the agent keeps its data.
             * @default 0
             */
            diskFreeBytes: number;
            /**
             * Format: int64
             * @description The size of the file system where the agent keeps its data.
             * @default 0
             */
            diskTotalBytes: number;
            /**
             * Format: double
             * @description Load average over a minute.
             * @default 0
             */
            load1: number;
            /**
             * Format: double
             * @description Load average over five minutes.
             * @default 0
             */
            load5: number;
            /**
             * Format: double
             * @description Load average over a quarter of an hour.
             * @default 0
             */
            load15: number;
            /** @description The name of the node. */
            name: string;
            /**
             * Format: date-time
             * @description When the server received the figures.
             */
            receivedAt: string;
            /**
             * Format: double
             * @description The time that the rates are means of.
             */
            windowSeconds: number;
            /**
             * @description Always plum.dev/v1.
             * @default plum.dev/v1
             * @enum {string}
             */
            apiVersion: "plum.dev/v1";
            /**
             * @description Always NodeUsage.
             * @default NodeUsage
             * @enum {string}
             */
            kind: "NodeUsage";
            /** @description The instances that run there. */
            instances: components["schemas"]["UsageOfInstance"][];
        };
        /** @description A service that the process offers while it runs. */
        Offer: {
            /** @description The name under which it is found. */
            name: string;
            /**
             * Format: int64
             * @description The port that it answers on.
             */
            port: number;
            /**
             * @description What is spoken there, for example http. By default tcp.
             * @default tcp
             */
            protocol: string;
            /** @description Of the app, or of what it offers. */
            version?: string;
        };
        /** @description A service that every copy of the entry offers. */
        OfferedService: {
            /** @description The name under which the copies are found. */
            name: string;
            /** @description A number, or the name of one of the entry's ports. */
            port: components["schemas"]["IntOrString"];
            /**
             * @description What is spoken there, for example http. By default tcp.
             * @default tcp
             */
            protocol: string;
            /** @description Empty: the app's. */
            version?: string;
        };
        /** @description A port that the app listens on; it reads the number from `PLUM_PORT_<NAME>`. */
        Port: {
            /** @description The name of the port: lowercase letters, digits and `-`, at most 15 characters. */
            name: string;
            /**
             * Format: int64
             * @description A fixed number; without one the agent picks a free port of its range.
             */
            port?: number;
        };
        /** @description A port as the process got it. */
        PortStatus: {
            /** @description The name of the port. */
            name: string;
            /**
             * Format: int64
             * @description The number, which the process finds in `PLUM_PORT_<NAME>`.
             */
            port: number;
        };
        /** @description One question to the process, asked again and again: exactly one of httpGet, tcpSocket and exec. */
        Probe: {
            /** @description Asks by an HTTP request. */
            httpGet?: components["schemas"]["HttpGet"];
            /** @description Asks by connecting to a port. */
            tcpSocket?: components["schemas"]["TcpSocket"];
            /** @description Asks by running a command. */
            exec?: components["schemas"]["ExecCommand"];
            /**
             * Format: int64
             * @description Seconds before the first try; they count from the start, or from the success of the startup probe.
             * @default 0
             */
            initialDelaySeconds: number;
            /**
             * Format: int64
             * @description Seconds from one try to the next. By default 10.
             * @default 10
             */
            periodSeconds: number;
            /**
             * Format: int64
             * @description Seconds after which a try has failed. By default 1.
             * @default 1
             */
            timeoutSeconds: number;
            /**
             * Format: int64
             * @description Successes in a row that make a pass; more than 1 only for readiness. By default 1.
             * @default 1
             */
            successThreshold: number;
            /**
             * Format: int64
             * @description Failures in a row that make it fail. By default 3.
             * @default 3
             */
            failureThreshold: number;
        };
        /** @description What is asked of every copy of an entry. */
        Probes: {
            /** @description Until it passes the others wait; when it fails the process is restarted. */
            startup?: components["schemas"]["Probe"];
            /** @description While it does not pass the copy is not ready, and services do not lead to it. */
            readiness?: components["schemas"]["Probe"];
            /** @description When it fails the process is restarted. */
            liveness?: components["schemas"]["Probe"];
        };
        /** @description What the machine has; Kubernetes quantities. */
        Resources: {
            /**
             * @description Processors, for example 4 or 500m.
             * @default
             */
            cpu: string;
            /**
             * @description Memory in bytes, for example 16Gi.
             * @default
             */
            memory: string;
        };
        /** @description A spec that an object had, kept for rollback. */
        Revision: {
            /**
             * Format: int64
             * @description Its number: the object's generation when it was written.
             */
            revision: number;
            /** @description The resourceVersion of that write. */
            version: string;
            /**
             * Format: date-time
             * @description When it was written, by the server's clock.
             */
            time: string;
            /** @description Who wrote it. */
            user: string;
            /** @description The field manager by which it was written. */
            manager: string;
            /** @description The spec. */
            spec: Record<string, unknown>;
        };
        /** @description The kept specs of an object, newest first. */
        RevisionList: {
            /**
             * @description Always plum.dev/v1.
             * @default plum.dev/v1
             * @enum {string}
             */
            apiVersion: "plum.dev/v1";
            /**
             * @description Always RevisionList.
             * @default RevisionList
             * @enum {string}
             */
            kind: "RevisionList";
            /** @description The version that the list shows. */
            metadata: components["schemas"]["ListMeta"];
            /** @description The specs. */
            items: components["schemas"]["Revision"][];
        };
        /** @description How many copies there should be, and how many there are. */
        Scale: {
            /**
             * @description The group and version of the kind; with `kind` it says what the object is.
             * @default autoscaling/v1
             * @enum {string}
             */
            apiVersion: "autoscaling/v1";
            /**
             * @description The kind of the object, for example Task.
             * @default Scale
             * @enum {string}
             */
            kind: "Scale";
            /** @description Who the object is: names, labels, owners, and what the server keeps account of. */
            metadata?: components["schemas"]["ObjectMeta"];
            /** @description What is wanted. */
            spec?: components["schemas"]["ScaleSpec"];
            /** @description What there is. */
            status?: components["schemas"]["ScaleStatus"];
        };
        /** @description What is wanted. */
        ScaleSpec: {
            /**
             * Format: int64
             * @description How many copies there should be.
             * @default 0
             */
            replicas: number;
        };
        /** @description What there is. */
        ScaleStatus: {
            /**
             * Format: int64
             * @description How many copies there are.
             * @default 0
             */
            replicas: number;
            /**
             * @description A label selector that finds them.
             * @default
             */
            selector: string;
        };
        /** @description A name, and the endpoints behind it. */
        Service: {
            /**
             * @description The group and version of the kind; with `kind` it says what the object is.
             * @default plum.dev/v1
             * @enum {string}
             */
            apiVersion: "plum.dev/v1";
            /**
             * @description The kind of the object, for example Task.
             * @default Service
             * @enum {string}
             */
            kind: "Service";
            /** @description Who the object is: names, labels, owners, and what the server keeps account of. */
            metadata?: components["schemas"]["ObjectMeta"];
            /** @description What leads to it. */
            spec?: components["schemas"]["ServiceSpec"];
            /** @description What there is behind it. */
            status?: components["schemas"]["ServiceStatus"];
        };
        /** @description A list of services. */
        ServiceList: {
            /**
             * @description The group and version of the kind.
             * @default plum.dev/v1
             * @enum {string}
             */
            apiVersion: "plum.dev/v1";
            /**
             * @description Always ServiceList.
             * @default ServiceList
             * @enum {string}
             */
            kind: "ServiceList";
            /** @description What the list says of itself. */
            metadata: components["schemas"]["ListMeta"];
            /** @description The objects. */
            items: components["schemas"]["Service"][];
        };
        /** @description One port that the service's instances answer on. */
        ServicePort: {
            /** @description A number, or the name of one of the entry's ports. */
            port: components["schemas"]["IntOrString"];
            /**
             * @description What is spoken there, for example http. By default tcp.
             * @default tcp
             */
            protocol: string;
            /** @description Empty: the app's. */
            version?: string;
        };
        /** @description Which instances belong to it. Without a selector: those that registered under its name. */
        ServiceSpec: {
            /** @description Labels that assignments must have. */
            selector?: {
                [key: string]: string;
            };
            /** @description Where the selected instances answer. */
            ports?: components["schemas"]["ServicePort"][];
        };
        /** @description How many endpoints there are. */
        ServiceStatus: {
            /**
             * Format: int64
             * @description All that have the service's name.
             * @default 0
             */
            endpoints: number;
            /**
             * Format: int64
             * @description The healthy ones.
             * @default 0
             */
            readyEndpoints: number;
        };
        /** @description What became of one reported status: exactly one of object and error. */
        StatusAnswer: {
            /** @description The assignment as it is now. */
            object?: components["schemas"]["Assignment"];
            /** @description Why the status was refused. */
            error?: components["schemas"]["Status"];
        };
        /** @description What the agent says of one instance. */
        StatusOf: {
            /** @description The assignment's. */
            namespace: string;
            /** @description The assignment's. */
            name: string;
            /** @description The assignment's. */
            uid: string;
            /** @description The agent's part of the assignment's status: applied by force, as `PATCH …/status` would. */
            status: Record<string, unknown>;
        };
        /** @description Statuses of one node's instances, each on its own: what is refused of one holds up no other. */
        StatusReport: {
            /** @description The statuses. */
            items: components["schemas"]["StatusOf"][];
        };
        /** @description How many copies of an entry a rollout may take away or add at a time. */
        Strategy: {
            /**
             * Format: int64
             * @description How many copies of an entry may be missing during a rollout. By default 1.
             * @default 1
             */
            maxUnavailable: number;
            /**
             * Format: int64
             * @description How many copies more than wanted there may be during a rollout.
             * @default 0
             */
            maxSurge: number;
        };
        /** @description Keeps copies of an app's programs running. */
        Task: {
            /**
             * @description The group and version of the kind; with `kind` it says what the object is.
             * @default plum.dev/v1
             * @enum {string}
             */
            apiVersion: "plum.dev/v1";
            /**
             * @description The kind of the object, for example Task.
             * @default Task
             * @enum {string}
             */
            kind: "Task";
            /** @description Who the object is: names, labels, owners, and what the server keeps account of. */
            metadata?: components["schemas"]["ObjectMeta"];
            /** @description What is wanted. */
            spec: components["schemas"]["TaskSpec"];
            /** @description What there is, as the task controller sees it. */
            status?: components["schemas"]["TaskStatus"];
        };
        /** @description A list of tasks. */
        TaskList: {
            /**
             * @description The group and version of the kind.
             * @default plum.dev/v1
             * @enum {string}
             */
            apiVersion: "plum.dev/v1";
            /**
             * @description Always TaskList.
             * @default TaskList
             * @enum {string}
             */
            kind: "TaskList";
            /** @description What the list says of itself. */
            metadata: components["schemas"]["ListMeta"];
            /** @description The objects. */
            items: components["schemas"]["Task"][];
        };
        /** @description What should run. */
        TaskSpec: {
            /**
             * @description Stopped keeps the assignments and stops their processes. By default Running.
             * @default Running
             * @enum {string}
             */
            state: "Running" | "Stopped";
            /** @description The programs of the task, by name. */
            entries: components["schemas"]["Entry"][];
            /** @description How a changed entry is rolled out. */
            strategy?: components["schemas"]["Strategy"];
        };
        /** @description What is known about the task. */
        TaskStatus: {
            /**
             * Format: int64
             * @description The `metadata.generation` that the status is about; smaller than that while a change has not been seen yet.
             * @default 0
             */
            observedGeneration: number;
            /**
             * Format: int64
             * @description How many copies there are, of all entries.
             * @default 0
             */
            replicas: number;
            /**
             * Format: int64
             * @description How many copies are ready.
             * @default 0
             */
            readyReplicas: number;
            /**
             * Format: int64
             * @description How many copies have what the spec says now.
             * @default 0
             */
            updatedReplicas: number;
            /** @description Where each entry stands, by name. */
            entries?: components["schemas"]["EntryStatus"][];
            /**
             * @description A label selector that finds the task's assignments.
             * @default
             */
            selector: string;
            /** @description Available: every entry has enough ready copies. Progressing: False while an artifact is missing; else its reason says whether the rollout is complete. Placed: every copy has a node. */
            conditions?: components["schemas"]["Condition"][];
        };
        /** @description Passes if a connection is accepted. */
        TcpSocket: {
            /** @description A number, or the name of one of the entry's ports. */
            port: components["schemas"]["IntOrString"];
            /** @description Where to connect to; empty: 127.0.0.1. */
            host?: string;
        };
        /** @description Everything of the entry that the node needs, resolved; it never changes. */
        Template: {
            /** @description Where the node fetches the app: a path of this server or an http(s) URL. */
            artifactUrl: string;
            /** @description Empty where nobody knows what is at the address. */
            sha256: string;
            /** @description The name of the app; empty where the entry gives an address. */
            appName?: string;
            /** @description The version of the app; empty where the entry gives an address. */
            appVersion?: string;
            /** @description Run by `/bin/sh -c` in the instance's own folder; empty means `./start.sh`. */
            startCmd?: string;
            /** @description Environment variables. */
            env?: components["schemas"]["EnvVar"][];
            /** @description Ports the app listens on. */
            ports?: components["schemas"]["Port"][];
            /** @description What the copy is found under, besides what the app's `meta.ini` says. */
            services?: components["schemas"]["OfferedService"][];
            /**
             * @description When an ended process is started again. By default Always.
             * @default Always
             * @enum {string}
             */
            restartPolicy: "Always" | "OnFailure" | "Never";
            /**
             * Format: int64
             * @description Seconds between the stop signal and KILL. By default 5.
             * @default 5
             */
            terminationGracePeriodSeconds: number;
            /**
             * @description The signal that asks the process group to end. By default TERM.
             * @default TERM
             * @enum {string}
             */
            stopSignal: "TERM" | "INT" | "QUIT" | "HUP" | "USR1" | "USR2" | "KILL";
            /** @description The entries of the task that come first. */
            dependsOn?: string[];
            /** @description How it is found out whether the copy has started, is ready and is alive. */
            probes?: components["schemas"]["Probes"];
            /** @description How much is kept of what the copy writes; by default 5 rotated files of 10Mi. */
            logs?: components["schemas"]["Logs"];
            /** @description Copied from the task's annotation, so that a restart of the task is a rollout. */
            restartedAt?: string;
        };
        /** @description What nodes and instances use. */
        UsageList: {
            /**
             * @description Always plum.dev/v1.
             * @default plum.dev/v1
             * @enum {string}
             */
            apiVersion: "plum.dev/v1";
            /**
             * @description Always UsageList.
             * @default UsageList
             * @enum {string}
             */
            kind: "UsageList";
            /** @description The page of instances. */
            metadata: components["schemas"]["ListMeta"];
            /** @description The nodes, all on the first page. */
            nodes?: components["schemas"]["UsageOfNode"][];
            /** @description The instances, in the order of namespace and name. */
            items: components["schemas"]["UsageOfInstance"][];
        };
        /** @description What one instance uses, and where it belongs. */
        UsageOfInstance: {
            /** @description The assignment's. */
            namespace: string;
            /** @description The assignment's. */
            name: string;
            /** @description The assignment's. */
            uid: string;
            /**
             * Format: int64
             * @description Which start of the process it is; the counters (`…Seconds`, `…Bytes` of I/O) begin anew with each.
             * @default 0
             */
            run: number;
            /**
             * Format: int64
             * @description How often it has been started again.
             * @default 0
             */
            restarts: number;
            /**
             * Format: int64
             * @description Processes of the tree.
             * @default 0
             */
            processes: number;
            /**
             * Format: int64
             * @description Threads of the tree.
             * @default 0
             */
            threads: number;
            /**
             * Format: int64
             * @description Open file descriptors of the tree.
             * @default 0
             */
            openFds: number;
            /**
             * Format: int64
             * @description Resident memory that is not shared with files: what would be free if the tree ended.
             * @default 0
             */
            memoryBytes: number;
            /**
             * Format: double
             * @description Processor time used since its start, in seconds.
             * @default 0
             */
            cpuSeconds: number;
            /**
             * Format: double
             * @description Processors, 0.25 for a quarter of one.
             */
            cpu?: number;
            /**
             * Format: int64
             * @description From storage; what the page cache answers is not counted.
             * @default 0
             */
            readBytes: number;
            /**
             * Format: int64
             * @description To storage.
             * @default 0
             */
            writtenBytes: number;
            /**
             * Format: double
             * @description Bytes a second.
             */
            readRate?: number;
            /**
             * Format: double
             * @description Bytes a second.
             */
            writeRate?: number;
            /** @description The node that it runs on. */
            node: string;
            /** @description The task that it is of. */
            task: string;
            /** @description The entry that it is of. */
            entry: string;
            /**
             * Format: date-time
             * @description When the server received the figures.
             */
            receivedAt: string;
            /**
             * Format: double
             * @description The time that the rates are means of.
             */
            windowSeconds: number;
        };
        /** @description What is used of a node. */
        UsageOfNode: {
            /**
             * Format: int64
             * @description Processors of the machine.
             * @default 0
             */
            cpus: number;
            /**
             * Format: double
             * @description Processor time used since the machine started, in seconds.
             * @default 0
             */
            cpuSeconds: number;
            /**
             * Format: double
             * @description Processors, 1.5 for one and a half of `cpus`.
             */
            cpu?: number;
            /**
             * Format: int64
             * @description What new programs could not have.
             * @default 0
             */
            memoryBytes: number;
            /**
             * Format: int64
             * @description Memory of the machine.
             * @default 0
             */
            memoryTotalBytes: number;
            /**
             * Format: int64
             * @description Where the agent keeps its data.
             * @default 0
             */
            diskFreeBytes: number;
            /**
             * Format: int64
             * @description The size of the file system where the agent keeps its data.
             * @default 0
             */
            diskTotalBytes: number;
            /**
             * Format: double
             * @description Load average over a minute.
             * @default 0
             */
            load1: number;
            /**
             * Format: double
             * @description Load average over five minutes.
             * @default 0
             */
            load5: number;
            /**
             * Format: double
             * @description Load average over a quarter of an hour.
             * @default 0
             */
            load15: number;
            /** @description The name of the node. */
            name: string;
            /**
             * Format: date-time
             * @description When the server received the figures.
             */
            receivedAt: string;
            /**
             * Format: double
             * @description The time that the rates are means of.
             */
            windowSeconds: number;
        };
        /** @description What an agent sends: its node, and every instance on it that runs. */
        UsageReport: {
            /**
             * Format: double
             * @description The time between the two looks that the rates are means of.
             * @default 0
             */
            windowSeconds: number;
            /** @description The machine. */
            node: components["schemas"]["NodeUsage"];
            /** @description What runs on it. */
            instances?: components["schemas"]["InstanceUsage"][];
        };
        /** @description What a long-poll is answered. */
        WatchEventBatch: {
            /**
             * @description Always plum.dev/v1.
             * @default plum.dev/v1
             * @enum {string}
             */
            apiVersion: "plum.dev/v1";
            /**
             * @description Always WatchEventBatch.
             * @default WatchEventBatch
             * @enum {string}
             */
            kind: "WatchEventBatch";
            /** @description Its `resourceVersion` is where the next poll goes on. */
            metadata: components["schemas"]["ListMeta"];
            /** @description The events; none when the time was up. */
            items: components["schemas"]["WatchEvent"][];
        };
        /** @description One observation of an object's state; positive polarity, one owner a type. */
        Condition: {
            /** @description What is observed, for example Ready; unique within the object. */
            type: string;
            /**
             * @description Whether it is so: True, False, or Unknown while nobody can tell.
             * @enum {string}
             */
            status: "True" | "False" | "Unknown";
            /**
             * @description A CamelCase word for programs.
             * @default
             */
            reason: string;
            /**
             * @description A sentence for people.
             * @default
             */
            message: string;
            /**
             * Format: date-time
             * @description When `status` changed last.
             */
            lastTransitionTime?: string;
            /**
             * Format: int64
             * @description The `metadata.generation` that the observation is about.
             */
            observedGeneration?: number;
        };
        /** @description How a deletion is meant; all of it may be left out. */
        DeleteOptions: {
            /** @description May be left out. */
            apiVersion?: string;
            /** @description May be left out. */
            kind?: string;
            /**
             * @description What becomes of the objects that this one owns: deleted afterwards (Background, the default), deleted first (Foreground), or left (Orphan).
             * @enum {string}
             */
            propagationPolicy?: "Background" | "Foreground" | "Orphan";
            /** @description What must hold; else the request is refused with 409. */
            preconditions?: components["schemas"]["Preconditions"];
            /**
             * Format: int64
             * @description Taken and not obeyed: how long processes may take to end is said where they are declared.
             */
            gracePeriodSeconds?: number;
            /** @description All: check everything, change nothing. */
            dryRun?: string[];
        };
        /** @description One step of a JSON patch (RFC 6902). */
        JSONPatchOperation: {
            /**
             * @description What to do.
             * @enum {string}
             */
            op: "add" | "remove" | "replace" | "move" | "copy" | "test";
            /** @description Where, as a JSON pointer, for example `/metadata/labels/app`. */
            path: string;
            /** @description For move and copy: where the value is. */
            from?: string;
            /** @description For add, replace and test: the value. */
            value?: unknown;
        };
        /** @description What a list says of itself. */
        ListMeta: {
            /** @description The version that the list shows; a watch from it misses nothing. */
            resourceVersion: string;
            /** @description Send it back as `continue` for the next page; absent on the last one. */
            continue?: string;
            /**
             * Format: int64
             * @description How many objects follow; absent with selectors.
             */
            remainingItemCount?: number;
        };
        /** @description What one field manager owns in the object (Kubernetes server-side apply). */
        ManagedFields: {
            /**
             * @description Who wrote the fields: the `fieldManager` of the request, or the name of the program.
             * @default
             */
            manager: string;
            /**
             * @description Apply for fields that the manager applied (server-side apply), Update for all other writes. By default Update.
             * @default Update
             * @enum {string}
             */
            operation: "Apply" | "Update";
            /**
             * @description The group and version that the fields are named in.
             * @default
             */
            apiVersion: string;
            /**
             * Format: date-time
             * @description When what the manager owns changed last.
             */
            time?: string;
            /**
             * @description The form of `fieldsV1`; always FieldsV1.
             * @default FieldsV1
             * @enum {string}
             */
            fieldsType: "FieldsV1";
            /** @description The owned fields as a tree: `f:` before the name of a field, `k:` before the keys of a list item, `v:` before a member of a set. */
            fieldsV1?: Record<string, unknown>;
            /** @description The subresource that the fields were written through, for example status; empty for the object itself. */
            subresource?: string;
        };
        /** @description Identity and bookkeeping of an object; Kubernetes' ObjectMeta. */
        ObjectMeta: {
            /**
             * @description Unique within kind and namespace.
             * @default
             */
            name: string;
            /** @description A prefix: the server appends five random characters when `name` is empty. */
            generateName?: string;
            /** @description The namespace of a namespaced object. */
            namespace?: string;
            /** @description Set by the server; distinguishes objects that had the same name at different times. */
            uid?: string;
            /** @description The version of the last write. Send it back with an update to detect a write in between. */
            resourceVersion?: string;
            /**
             * Format: int64
             * @description Grows when `spec` changes or deletion begins.
             */
            generation?: number;
            /**
             * Format: date-time
             * @description When the server stored the object first.
             */
            creationTimestamp?: string;
            /**
             * Format: date-time
             * @description When deletion was asked for; the object goes once its finalizers are gone.
             */
            deletionTimestamp?: string;
            /**
             * Format: int64
             * @description Always 0 once deletion has been asked for: how long processes may take to end is said where they are declared.
             */
            deletionGracePeriodSeconds?: number;
            /** @description Keys and values that selectors can find. */
            labels?: {
                [key: string]: string;
            };
            /** @description Notes of people and programs; not selectable. At most 256 KiB in all. */
            annotations?: {
                [key: string]: string;
            };
            /** @description The objects this one exists for; when all are gone it is deleted. */
            ownerReferences?: components["schemas"]["OwnerReference"][];
            /** @description Names that block removal; whoever put one there takes it away. */
            finalizers?: string[];
            /** @description Which manager owns which fields. */
            managedFields?: components["schemas"]["ManagedFields"][];
        };
        /** @description Names the object that this one exists for. Matching is by `uid`. */
        OwnerReference: {
            /** @description The group and version of the owner, for example `plum.dev/v1`. */
            apiVersion: string;
            /** @description The kind of the owner, for example Task. */
            kind: string;
            /** @description The name of the owner. */
            name: string;
            /** @description The uid of the owner: an object that only has its name is not the owner. */
            uid: string;
            /** @description Whether the owner manages this object; at most one owner may. */
            controller?: boolean;
            /** @description Whether a foreground deletion of the owner waits for this object. */
            blockOwnerDeletion?: boolean;
        };
        /** @description What must hold of an object for it to be deleted. */
        Preconditions: {
            /** @description The uid that it must have. */
            uid?: string;
            /** @description The version that it must have. */
            resourceVersion?: string;
        };
        /** @description How a request ended that is answered with no object. */
        Status: {
            /**
             * @description Always v1.
             * @default v1
             * @enum {string}
             */
            apiVersion: "v1";
            /**
             * @description Always Status.
             * @default Status
             * @enum {string}
             */
            kind: "Status";
            /** @description Empty. */
            metadata?: Record<string, unknown>;
            /**
             * @description Success or Failure.
             * @enum {string}
             */
            status: "Success" | "Failure";
            /** @description A sentence for people that names the field and the remedy. */
            message?: string;
            /** @description A CamelCase word for programs, for example NotFound, Conflict or Invalid. */
            reason?: string;
            /**
             * Format: int64
             * @description The HTTP status.
             */
            code?: number;
            /** @description What it is about. */
            details?: components["schemas"]["StatusDetails"];
        };
        /** @description One reason of a refusal. */
        StatusCause: {
            /**
             * @description A CamelCase word for programs, for example FieldValueInvalid.
             * @default
             */
            reason: string;
            /**
             * @description A sentence for people.
             * @default
             */
            message: string;
            /**
             * @description The dotted path of the field, for example `spec.entries[0].replicas`.
             * @default
             */
            field: string;
        };
        /** @description What a Status is about. */
        StatusDetails: {
            /** @description The name of the object. */
            name?: string;
            /** @description The group of the object. */
            group?: string;
            /** @description The plural of the kind; for invalid objects the kind itself. */
            kind?: string;
            /** @description The uid of the object that was deleted. */
            uid?: string;
            /** @description All that is wrong, field by field. */
            causes?: components["schemas"]["StatusCause"][];
            /**
             * Format: int64
             * @description When to try again.
             */
            retryAfterSeconds?: number;
        };
        /** @description One line of a watch. */
        WatchEvent: {
            /**
             * @description What happened. A bookmark only says which version the watch has reached; an error is the last line.
             * @enum {string}
             */
            type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK" | "ERROR";
            /** @description The object after it; for DELETED its last state, for ERROR a Status. */
            object: Record<string, unknown>;
        };
        /** @description A number, or a text. */
        IntOrString: number | string;
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
};
export type AgentInfo = components['schemas']['AgentInfo'];
export type App = components['schemas']['App'];
export type AppList = components['schemas']['AppList'];
export type AppReference = components['schemas']['AppReference'];
export type AppService = components['schemas']['AppService'];
export type AppSpec = components['schemas']['AppSpec'];
export type Assignment = components['schemas']['Assignment'];
export type AssignmentList = components['schemas']['AssignmentList'];
export type AssignmentSpec = components['schemas']['AssignmentSpec'];
export type AssignmentStatus = components['schemas']['AssignmentStatus'];
export type Change = components['schemas']['Change'];
export type Endpoint = components['schemas']['Endpoint'];
export type EndpointList = components['schemas']['EndpointList'];
export type EndpointSpec = components['schemas']['EndpointSpec'];
export type EndpointStatus = components['schemas']['EndpointStatus'];
export type Entry = components['schemas']['Entry'];
export type EntryStatus = components['schemas']['EntryStatus'];
export type EnvVar = components['schemas']['EnvVar'];
export type ExecCommand = components['schemas']['ExecCommand'];
export type HistoryItem = components['schemas']['HistoryItem'];
export type HistoryList = components['schemas']['HistoryList'];
export type HttpGet = components['schemas']['HttpGet'];
export type HttpHeader = components['schemas']['HttpHeader'];
export type InstanceUsage = components['schemas']['InstanceUsage'];
export type Logs = components['schemas']['Logs'];
export type Node = components['schemas']['Node'];
export type NodeList = components['schemas']['NodeList'];
export type NodeSpec = components['schemas']['NodeSpec'];
export type NodeStatus = components['schemas']['NodeStatus'];
export type NodeStatuses = components['schemas']['NodeStatuses'];
export type NodeUsage = components['schemas']['NodeUsage'];
export type NodeUsageDetails = components['schemas']['NodeUsageDetails'];
export type Offer = components['schemas']['Offer'];
export type OfferedService = components['schemas']['OfferedService'];
export type Port = components['schemas']['Port'];
export type PortStatus = components['schemas']['PortStatus'];
export type Probe = components['schemas']['Probe'];
export type Probes = components['schemas']['Probes'];
export type Resources = components['schemas']['Resources'];
export type Revision = components['schemas']['Revision'];
export type RevisionList = components['schemas']['RevisionList'];
export type Scale = components['schemas']['Scale'];
export type ScaleSpec = components['schemas']['ScaleSpec'];
export type ScaleStatus = components['schemas']['ScaleStatus'];
export type Service = components['schemas']['Service'];
export type ServiceList = components['schemas']['ServiceList'];
export type ServicePort = components['schemas']['ServicePort'];
export type ServiceSpec = components['schemas']['ServiceSpec'];
export type ServiceStatus = components['schemas']['ServiceStatus'];
export type StatusAnswer = components['schemas']['StatusAnswer'];
export type StatusOf = components['schemas']['StatusOf'];
export type StatusReport = components['schemas']['StatusReport'];
export type Strategy = components['schemas']['Strategy'];
export type Task = components['schemas']['Task'];
export type TaskList = components['schemas']['TaskList'];
export type TaskSpec = components['schemas']['TaskSpec'];
export type TaskStatus = components['schemas']['TaskStatus'];
export type TcpSocket = components['schemas']['TcpSocket'];
export type Template = components['schemas']['Template'];
export type UsageList = components['schemas']['UsageList'];
export type UsageOfInstance = components['schemas']['UsageOfInstance'];
export type UsageOfNode = components['schemas']['UsageOfNode'];
export type UsageReport = components['schemas']['UsageReport'];
export type WatchEventBatch = components['schemas']['WatchEventBatch'];
export type Condition = components['schemas']['Condition'];
export type DeleteOptions = components['schemas']['DeleteOptions'];
export type JSONPatchOperation = components['schemas']['JSONPatchOperation'];
export type ListMeta = components['schemas']['ListMeta'];
export type ManagedFields = components['schemas']['ManagedFields'];
export type ObjectMeta = components['schemas']['ObjectMeta'];
export type OwnerReference = components['schemas']['OwnerReference'];
export type Preconditions = components['schemas']['Preconditions'];
export type Status = components['schemas']['Status'];
export type StatusCause = components['schemas']['StatusCause'];
export type StatusDetails = components['schemas']['StatusDetails'];
export type WatchEvent = components['schemas']['WatchEvent'];
export type IntOrString = components['schemas']['IntOrString'];

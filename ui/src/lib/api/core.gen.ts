/* Types of v1, made from its OpenAPI document: `npm run types` writes them. Do not edit. */
export type components = {
    schemas: {
        /** @description One path that a change changed. */
        Change: {
            /** @description For example `spec.entries[main].startCmd`. */
            path: string;
            /** @description The value before; absent where there was none. Long values are cut, as text. */
            from?: unknown;
            /** @description The value after; absent where there is none. */
            to?: unknown;
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
        /** @description What runs: the program of one entry. There is no image; the process runs on the node itself. */
        Container: {
            /** @description The entry's name. */
            name: string;
            /** @description The app as name:version, or the address of its archive. */
            image: string;
            /** @description What is run, in the instance's own folder. */
            command?: string[];
            /** @description What it listens on, as far as the numbers are known. */
            ports?: components["schemas"]["ContainerPort"][];
            /** @description What the entry sets of its environment. */
            env?: components["schemas"]["EnvVar"][];
            /** @description Always empty: processes are not limited. */
            resources?: Record<string, unknown>;
        };
        /** @description A port of the entry. A port without a fixed number is shown with the one that the process got. */
        ContainerPort: {
            /** @description The port's name. */
            name?: string;
            /**
             * Format: int64
             * @description The number on the node.
             */
            containerPort: number;
            /**
             * @description Always TCP. By default TCP.
             * @default TCP
             */
            protocol: string;
        };
        /** @description Where a container stands: one of the three. */
        ContainerState: {
            /** @description It does not run. */
            waiting?: components["schemas"]["ContainerStateWaiting"];
            /** @description It runs. */
            running?: components["schemas"]["ContainerStateRunning"];
            /** @description It has ended. */
            terminated?: components["schemas"]["ContainerStateTerminated"];
        };
        /** @description It runs. */
        ContainerStateRunning: {
            /**
             * Format: date-time
             * @description When it was started.
             */
            startedAt?: string;
        };
        /** @description It has ended. */
        ContainerStateTerminated: {
            /**
             * Format: int64
             * @description The exit code; 128 and the signal's number where a signal ended it.
             */
            exitCode: number;
            /**
             * Format: int64
             * @description The signal that ended it, if one did.
             */
            signal?: number;
            /** @description Completed, Error, StartError, or ContainerStatusUnknown. */
            reason?: string;
            /** @description How it ended, in words. */
            message?: string;
            /**
             * Format: date-time
             * @description When it was started.
             */
            startedAt?: string;
            /**
             * Format: date-time
             * @description When it ended.
             */
            finishedAt?: string;
        };
        /** @description It does not run yet, or not again. */
        ContainerStateWaiting: {
            /** @description Such as ContainerCreating, CrashLoopBackOff, or Stopped for what people have stopped. */
            reason?: string;
            /** @description The reason in words. */
            message?: string;
        };
        /** @description What is known of the container. */
        ContainerStatus: {
            /** @description The entry's name. */
            name: string;
            /** @description As in the spec. */
            image: string;
            /**
             * @description The digest of the app's archive.
             * @default
             */
            imageID: string;
            /** @description The process, while it runs: process://PID. */
            containerID?: string;
            /**
             * @description Whether it may be used, as its probes say.
             * @default false
             */
            ready: boolean;
            /**
             * @description Whether it runs.
             * @default false
             */
            started: boolean;
            /**
             * Format: int64
             * @description How often it was started again.
             * @default 0
             */
            restartCount: number;
            /** @description Where it stands. */
            state?: components["schemas"]["ContainerState"];
            /** @description How its last run ended. */
            lastState?: components["schemas"]["ContainerState"];
        };
        /** @description An environment variable that the entry sets. */
        EnvVar: {
            /** @description Its name. */
            name: string;
            /** @description Its value. */
            value?: string;
        };
        /** @description A note about an object, kept for a while. */
        Event: {
            /**
             * @description The group and version of the kind; with `kind` it says what the object is.
             * @default v1
             * @enum {string}
             */
            apiVersion: "v1";
            /**
             * @description The kind of the object, for example Task.
             * @default Event
             * @enum {string}
             */
            kind: "Event";
            /** @description Who the object is: names, labels, owners, and what the server keeps account of. */
            metadata?: components["schemas"]["ObjectMeta"];
            /** @description The object that the event is about. */
            involvedObject: components["schemas"]["ObjectReference"];
            /** @description A CamelCase word for programs. */
            reason?: string;
            /**
             * @description A sentence for people.
             * @default
             */
            message: string;
            /**
             * @description Normal or Warning. By default Normal.
             * @default Normal
             */
            type: string;
            /** @description Who reports. */
            source?: components["schemas"]["EventSource"];
            /** @description The program that reports, in the newer form of `source.component`. */
            reportingComponent?: string;
            /** @description Which of several programs of that name reports. */
            reportingInstance?: string;
            /** @description What was done, or failed, in a word for programs. */
            action?: string;
            /**
             * Format: int64
             * @description How often it happened.
             */
            count?: number;
            /**
             * Format: date-time
             * @description When it happened first.
             */
            firstTimestamp?: string;
            /**
             * Format: date-time
             * @description When it happened last.
             */
            lastTimestamp?: string;
            /**
             * Format: date-time
             * @description When it happened first, as newer clients tell it.
             */
            eventTime?: string;
            /** @description How it went on, as newer clients tell it. */
            series?: components["schemas"]["EventSeries"];
            /** @description Another object that has to do with it. */
            related?: components["schemas"]["ObjectReference"];
        };
        /** @description A list of events. */
        EventList: {
            /**
             * @description The group and version of the kind.
             * @default v1
             * @enum {string}
             */
            apiVersion: "v1";
            /**
             * @description Always EventList.
             * @default EventList
             * @enum {string}
             */
            kind: "EventList";
            /** @description What the list says of itself. */
            metadata: components["schemas"]["ListMeta"];
            /** @description The objects. */
            items: components["schemas"]["Event"][];
        };
        /** @description What an event came to that goes on happening. */
        EventSeries: {
            /**
             * Format: int64
             * @description How often it happened, up to the last time.
             * @default 0
             */
            count: number;
            /**
             * Format: date-time
             * @description When it happened last.
             */
            lastObservedTime?: string;
        };
        /** @description Who reports. */
        EventSource: {
            /** @description The program that reports, for example plum-agent. */
            component?: string;
            /** @description The machine that it runs on. */
            host?: string;
        };
        /** @description A room for the names of namespaced objects. */
        Namespace: {
            /**
             * @description The group and version of the kind; with `kind` it says what the object is.
             * @default v1
             * @enum {string}
             */
            apiVersion: "v1";
            /**
             * @description The kind of the object, for example Task.
             * @default Namespace
             * @enum {string}
             */
            kind: "Namespace";
            /** @description Who the object is: names, labels, owners, and what the server keeps account of. */
            metadata?: components["schemas"]["ObjectMeta"];
            /** @description What holds it. */
            spec?: components["schemas"]["NamespaceSpec"];
            /** @description Whether it can be used. */
            status?: components["schemas"]["NamespaceStatus"];
        };
        /** @description A list of namespaces. */
        NamespaceList: {
            /**
             * @description The group and version of the kind.
             * @default v1
             * @enum {string}
             */
            apiVersion: "v1";
            /**
             * @description Always NamespaceList.
             * @default NamespaceList
             * @enum {string}
             */
            kind: "NamespaceList";
            /** @description What the list says of itself. */
            metadata: components["schemas"]["ListMeta"];
            /** @description The objects. */
            items: components["schemas"]["Namespace"][];
        };
        /** @description What holds the namespace. */
        NamespaceSpec: {
            /** @description What must let go before a deleted namespace goes; `kubernetes` stands for what lives in it. */
            finalizers?: string[];
        };
        /** @description Namespaces are usable from the moment they exist until they are deleted. */
        NamespaceStatus: {
            /**
             * @description Active, or Terminating while it is emptied before it goes: nothing can be created in it then. By default Active.
             * @default Active
             * @enum {string}
             */
            phase: "Active" | "Terminating";
            /** @description While it is Terminating: what remains, and what could not be deleted. */
            conditions?: components["schemas"]["Condition"][];
        };
        /** @description The object that an event is about. */
        ObjectReference: {
            /** @description The group and version of the object. */
            apiVersion?: string;
            /** @description The kind of the object. */
            kind?: string;
            /** @description The namespace of the object; empty for what has none. */
            namespace?: string;
            /** @description The name of the object. */
            name?: string;
            /** @description The uid of the object. */
            uid?: string;
            /** @description The version of the object that the event is about. */
            resourceVersion?: string;
            /** @description The part of the object that the event is about. */
            fieldPath?: string;
        };
        /** @description An assignment in the form of a pod. */
        Pod: {
            /**
             * @description The group and version of the kind; with `kind` it says what the object is.
             * @default v1
             * @enum {string}
             */
            apiVersion: "v1";
            /**
             * @description The kind of the object, for example Task.
             * @default Pod
             * @enum {string}
             */
            kind: "Pod";
            /** @description Who the object is: names, labels, owners, and what the server keeps account of. */
            metadata?: components["schemas"]["ObjectMeta"];
            /** @description What it is to run, and where. */
            spec: components["schemas"]["PodSpec"];
            /** @description What is known of it. */
            status?: components["schemas"]["PodStatus"];
        };
        /** @description One observation: PodScheduled, Initialized, ContainersReady or Ready. */
        PodCondition: {
            /** @description Which. */
            type: string;
            /**
             * @description Whether it holds.
             * @enum {string}
             */
            status: "True" | "False" | "Unknown";
            /** @description Why not, for programs. */
            reason?: string;
            /** @description Why not, for people. */
            message?: string;
            /**
             * Format: date-time
             * @description When the status changed last.
             */
            lastTransitionTime?: string;
        };
        /** @description An address of the pod. */
        PodIP: {
            /** @description The node's: processes have no address of their own. */
            ip: string;
        };
        /** @description A list of pods. */
        PodList: {
            /**
             * @description The group and version of the kind.
             * @default v1
             * @enum {string}
             */
            apiVersion: "v1";
            /**
             * @description Always PodList.
             * @default PodList
             * @enum {string}
             */
            kind: "PodList";
            /** @description What the list says of itself. */
            metadata: components["schemas"]["ListMeta"];
            /** @description The objects. */
            items: components["schemas"]["Pod"][];
        };
        /** @description What the pod is to run, and where. */
        PodSpec: {
            /** @description Always one. */
            containers: components["schemas"]["Container"][];
            /** @description The node that it is on; empty until it is placed. */
            nodeName?: string;
            /**
             * @description When an ended process is started again: Always, OnFailure or Never. By default Always.
             * @default Always
             */
            restartPolicy: string;
            /**
             * Format: int64
             * @description Seconds between the stop signal and KILL. By default 5.
             * @default 5
             */
            terminationGracePeriodSeconds: number;
        };
        /** @description What is known of the pod. */
        PodStatus: {
            /**
             * @description Pending, Running, Succeeded, Failed or Unknown, as Kubernetes defines them. By default Pending.
             * @default Pending
             * @enum {string}
             */
            phase: "Pending" | "Running" | "Succeeded" | "Failed" | "Unknown";
            /** @description NodeLost while nobody hears of its node. */
            reason?: string;
            /** @description The reason in words. */
            message?: string;
            /** @description The node's address. */
            hostIP?: string;
            /** @description The same: processes have no address of their own. */
            podIP?: string;
            /** @description The same as a list. */
            podIPs?: components["schemas"]["PodIP"][];
            /**
             * Format: date-time
             * @description When the assignment was made.
             */
            startTime?: string;
            /** @description PodScheduled, Initialized, ContainersReady and Ready. */
            conditions?: components["schemas"]["PodCondition"][];
            /** @description One, as soon as the pod has a node. */
            containerStatuses?: components["schemas"]["ContainerStatus"][];
            /**
             * @description Always BestEffort. By default BestEffort.
             * @default BestEffort
             */
            qosClass: string;
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
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
};
export type Change = components['schemas']['Change'];
export type HistoryItem = components['schemas']['HistoryItem'];
export type HistoryList = components['schemas']['HistoryList'];
export type Container = components['schemas']['Container'];
export type ContainerPort = components['schemas']['ContainerPort'];
export type ContainerState = components['schemas']['ContainerState'];
export type ContainerStateRunning = components['schemas']['ContainerStateRunning'];
export type ContainerStateTerminated = components['schemas']['ContainerStateTerminated'];
export type ContainerStateWaiting = components['schemas']['ContainerStateWaiting'];
export type ContainerStatus = components['schemas']['ContainerStatus'];
export type EnvVar = components['schemas']['EnvVar'];
export type Event = components['schemas']['Event'];
export type EventList = components['schemas']['EventList'];
export type EventSeries = components['schemas']['EventSeries'];
export type EventSource = components['schemas']['EventSource'];
export type Namespace = components['schemas']['Namespace'];
export type NamespaceList = components['schemas']['NamespaceList'];
export type NamespaceSpec = components['schemas']['NamespaceSpec'];
export type NamespaceStatus = components['schemas']['NamespaceStatus'];
export type ObjectReference = components['schemas']['ObjectReference'];
export type Pod = components['schemas']['Pod'];
export type PodCondition = components['schemas']['PodCondition'];
export type PodIP = components['schemas']['PodIP'];
export type PodList = components['schemas']['PodList'];
export type PodSpec = components['schemas']['PodSpec'];
export type PodStatus = components['schemas']['PodStatus'];
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

/** Where the app comes from. */
export type Source =
  | { kind: 'project'; path: string; framework?: string; publishArguments: string[] }
  | ({ kind: 'dockerfile'; path: string } & DockerfileOptions)
  | { kind: 'image'; reference: string };

/** How a Dockerfile is built, in the words of `docker build`. */
export interface DockerfileOptions {
  /** Folder; that of the Dockerfile where absent. */
  context?: string;
  buildArguments: Record<string, string>;
  target?: string;
  /** `id=NAME,env=VARIABLE` or `id=NAME,src=FILE` */
  secrets: string[];
  /** `linux/amd64` */
  platform?: string;
}

/** A published .NET app. */
export interface PublishedApp {
  /** The project file, or the program of one file. */
  project: string;
  /** Folder that `dotnet publish` wrote. */
  directory: string;
  assembly: string;
  /** `net10.0` */
  targetFramework: string;
  selfContained: boolean;
  /** What starts it, relative to its own folder. */
  command: string[];
  /** `sha256:` and hex over names and contents of the published files. */
  digest: string;
}

/** The app's own image, before anything of this product is in it. */
export interface AppImage {
  /** A name that only this run uses. */
  reference: string;
  /** Image id, `sha256:…`. */
  id: string;
  /** Entrypoint and command in one: the process to checkpoint. */
  command: string[];
  /** User that the app runs as in production; never root. */
  user: string;
  workingDirectory: string;
  env: Record<string, string>;
  /** Reference of the base image, or of the image itself where its base is not known. */
  baseImage: string;
  /** Image id of the base, where known. */
  baseImageId?: string;
  size: number;
}

/** The runtime bundle: CRIU, launcher and companion, as an image that others copy from. */
export interface RuntimeBundle {
  /** Tag; its last part is the digest of what it is built from. */
  reference: string;
}

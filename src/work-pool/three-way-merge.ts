import { isDeepStrictEqual } from 'node:util';

/** A JSON object. */
export type Fields = Record<string, any>;

/** The definition of a template's variable, with its default. */
export type Variables = Record<string, Fields>;

/** Stands for the variable that names the flow run's container, in our values: it marks that container. */
export const FLOW_RUN_CONTAINER = '{{ container_name }}';

/** The worker's name for it where nothing else names one. */
const DEFAULT_CONTAINER = 'prefect';

/** Lists whose entries have names, and the field that names an entry: users' entries stand beside ours, in any order. */
const NAMED_LISTS: { readonly [list: string]: string } = {
  containerDefinitions: 'name',
  volumes: 'name',
  mountPoints: 'containerPath',
  environment: 'name',
  secrets: 'name',
  dependsOn: 'containerName',
  tags: 'key',
};

/** The field that names the entries of a list, where they have names. */
export function keyOf(list: string): string | undefined {
  return Object.hasOwn(NAMED_LISTS, list) ? NAMED_LISTS[list] : undefined;
}

/** A place in a template. Prefect fills placeholders in the job configuration, and not in a variable's default. */
interface Place {
  readonly holder: any;
  readonly key: string | number;
  /** The field of the task definition whose entries stand there, where it is a list. */
  readonly list: string;
  readonly path: string;
  readonly rendered: boolean;
}

/** What Prefect replaces as a whole by a variable's value. References to blocks and to Prefect's own variables have a dot. */
const PLACEHOLDER = /^\{\{\s*([\w-]+)\s*\}\}$/;

/** The same within a text. */
const PLACEHOLDERS = /\{\{\s*([\w-]+)\s*\}\}/g;
/** Where a text of ours stands in front of what deployments and users name: the family, by whose start the worker's permissions go. */
const PREFIXED_FIELD = 'family';
const PREFIXED = /^([^{}]+)\{\{ family \}\}$/;

/** What other stacks put in front: a pool that is taken over has the last one's. */
const PREFIX_OF_A_WORKER = /^prefect-[\w-]+?-[0-9A-F]{8}-/;

/**
 * Merges what this deployment wants into a job configuration: beside what users have there, and without what the last
 * deployment wanted and this one doesn't. Where users have a placeholder, the merge goes into its variable's default.
 */
export class ThreeWayMerge {
  /** The name of the variable whose placeholder, and nothing else, stands somewhere. */
  public static variableOf(standing: unknown): string | undefined {
    return typeof standing === 'string' ? PLACEHOLDER.exec(standing)?.[1] : undefined;
  }

  /** Marks, in a template of users, the container in which the worker would have the flow run executed. */
  public static markFlowRunContainer(job: Fields, variables: Variables, containers: any[]): void {
    const flowRun: any = new ThreeWayMerge(job, { ...variables }, {}, {}).flowRunContainer(containers);
    if (areFields(flowRun)) flowRun.name = FLOW_RUN_CONTAINER;
  }

  /**
   * @param job the job configuration, which is changed
   * @param variables the template's variables, which are changed
   * @param values what this deployment sets as defaults of variables
   * @param valuesBefore what the last one set
   */
  constructor(
    private readonly job: Fields,
    private readonly variables: Variables,
    private readonly values: Fields,
    private readonly valuesBefore: Fields,
  ) {}

  public merge(before: Fields, wanted: Fields): void {
    this.mergeFields(this.job, before, wanted, 'job_configuration', true);
  }

  private mergeFields(present: Fields, before: Fields, wanted: Fields, path: string, rendered: boolean): void {
    for (const field of new Set([...Object.keys(before), ...Object.keys(wanted)])) {
      this.mergePlace({ holder: present, key: field, list: field, path: `${path}.${field}`, rendered }, before[field], wanted[field]);
    }
  }

  private mergePlace(place: Place, before: unknown, wanted: unknown): void {
    const { holder, key, path, rendered } = place;
    const standing = holder[key] ?? undefined;
    if (key === PREFIXED_FIELD) {
      this.mergePrefixed(place, standing, before, wanted);
      return;
    }
    const variable = rendered ? ThreeWayMerge.variableOf(standing) : undefined;
    if (variable !== undefined && variable === ThreeWayMerge.variableOf(wanted)) {
      this.takeDefaultBack(variable, before);
      return;
    }
    if (variable !== undefined && wanted === undefined && variable === ThreeWayMerge.variableOf(before)) {
      delete holder[key];
      return;
    }
    if (variable !== undefined) {
      const holdsDefault = this.variables[variable] = { ...this.variables[variable] };
      this.mergePlace({ ...place, holder: holdsDefault, key: 'default', path: `variables.${variable}.default`, rendered: false }, before, wanted);
      return;
    }
    const ofUsers = standing !== undefined && standing !== wanted && !isDeepStrictEqual(standing, this.written(rendered, before, this.valuesBefore));
    // Users have something else where deployments would fill in one of Prefect's variables.
    if (ofUsers && ThreeWayMerge.variableOf(wanted) !== undefined) return;
    if (ofUsers && wanted !== undefined && typeof standing === 'string' && /\{\{.*\}\}/.test(standing)) {
      throw new Error(`The work pool's base job template has ${JSON.stringify(standing)} at ${path}, where this deployment has a value of its own. `
        + 'Remove it there, or put the placeholder of one variable there: the value then becomes the default of that variable.');
    }
    const merged = this.mergeValue(place, standing, before, wanted);
    if (merged === undefined) delete holder[key];
    else holder[key] = merged;
  }

  /** A value of the last deployment, which went into the default of the variable whose placeholder it has. */
  private takeDefaultBack(variable: string, before: unknown): void {
    const { default: value, ...definition } = this.variables[variable] ?? {};
    if (before === undefined || ThreeWayMerge.variableOf(before) !== undefined) return;
    if (!isDeepStrictEqual(value, this.literal(before, this.valuesBefore))) return;
    this.variables[variable] = this.values[variable] === undefined ? definition : { ...definition, default: this.values[variable] };
  }

  private mergeValue(place: Place, standing: any, before: any, wanted: any): unknown {
    const { list, path, rendered } = place;
    const ours = wanted ?? before;
    if (list in NAMED_LISTS && Array.isArray(ours) && (Array.isArray(standing) || standing === undefined)) {
      const entries = this.mergeEntries(standing ?? [], before ?? [], wanted ?? [], list, path, rendered);
      return entries.length > 0 ? entries : undefined;
    }
    if (areFields(ours) && (areFields(standing) || wanted !== undefined)) {
      const fields = areFields(standing) ? { ...standing } : {};
      this.mergeFields(fields, areFields(before) ? before : {}, wanted ?? {}, path, rendered);
      return wanted === undefined && Object.keys(fields).length === 0 ? undefined : fields;
    }
    if (wanted !== undefined) return this.written(rendered, wanted, this.values);
    return isDeepStrictEqual(standing, this.written(rendered, before, this.valuesBefore)) ? undefined : standing;
  }

  /** Puts our prefix in front of what users have there, whatever it is, in place of the last one. */
  private mergePrefixed({ holder, key, rendered }: Place, standing: unknown, before: unknown, wanted: unknown): void {
    const [prefix = '', prefixBefore = prefix] = [wanted, before].map(value => PREFIXED.exec(value as string)?.[1]);
    const ours = !rendered && isDeepStrictEqual(standing, this.written(rendered, before, this.valuesBefore));
    if (typeof standing === 'string' && !ours) {
      const last = [prefixBefore, prefix].find(known => standing.startsWith(known)) ?? PREFIX_OF_A_WORKER.exec(standing)?.[0] ?? '';
      holder[key] = prefix + standing.slice(last.length);
    } else if (wanted !== undefined) {
      holder[key] = this.written(rendered, wanted, this.values);
    } else if (ours) {
      delete holder[key];
    }
  }

  private mergeEntries(
    standing: readonly any[], before: readonly Fields[], wanted: readonly Fields[], list: string, path: string, rendered: boolean,
  ): unknown[] {
    const key = NAMED_LISTS[list];
    const flowRun = list === 'containerDefinitions' ? this.flowRunContainer(standing) : undefined;
    const nameOf = (entry: unknown) => flowRun !== undefined && entry === flowRun ? FLOW_RUN_CONTAINER : this.behind(entry, rendered)?.[key];
    const ofName = (entries: readonly Fields[], name: unknown) => entries.find(entry => entry[key] === name);

    const entries = [...standing];
    for (const name of new Set([...before, ...wanted].map(entry => entry[key]))) {
      const index = entries.findIndex(entry => nameOf(entry) === name);
      const last = ofName(before, name);
      const ours = ofName(wanted, name);
      if (index < 0) {
        if (ours) entries.push(this.written(rendered, ours, this.values));
      } else if (ours || name === FLOW_RUN_CONTAINER) {
        const place = { holder: entries, key: index, list: '', path: `${path}[${index}]`, rendered };
        // What the flow run's container is called is the template's affair.
        if (name === FLOW_RUN_CONTAINER) this.mergePlace(place, without(key, last), without(key, ours));
        else this.mergePlace(place, last, ours);
      } else if (list === 'containerDefinitions' || isDeepStrictEqual(entries[index], this.written(rendered, last, this.valuesBefore))) {
        entries.splice(index, 1);
      }
    }
    return entries;
  }

  /** The container in which the worker has the flow run executed, by the worker's own rules. */
  private flowRunContainer(containers: readonly any[]): unknown {
    const variable = ThreeWayMerge.variableOf(this.job.container_name) ?? 'container_name';
    const name = typeof this.job.container_name === 'string' && !this.job.container_name.includes('{{')
      ? this.job.container_name
      : this.variables[variable]?.default;
    const objects = containers.map(entry => ({ entry, container: this.behind(entry, true) })).filter(({ container }) => container);
    const byPlaceholder = objects.find(({ container }) => ThreeWayMerge.variableOf(container!.name) === variable);
    if (byPlaceholder && name === undefined && byPlaceholder.entry !== containers[0]) {
      // Without it, the worker takes the first one.
      this.variables[variable] = { ...this.variables[variable], default: DEFAULT_CONTAINER };
    }
    const found = byPlaceholder
      ?? objects.find(({ container }) => container!.name === name && name !== undefined)
      ?? objects.find(({ container }) => container!.name === DEFAULT_CONTAINER)
      ?? objects[0];
    return found?.entry;
  }

  /** What is there, or the default of the variable whose placeholder does; undefined for what is no object. */
  private behind(entry: unknown, rendered: boolean): Fields | undefined {
    const variable = rendered ? ThreeWayMerge.variableOf(entry) : undefined;
    const value = variable === undefined ? entry : this.variables[variable]?.default;
    return areFields(value) ? value : undefined;
  }

  /** What stands for a value of ours, where Prefect fills placeholders and where it doesn't. */
  private written(rendered: boolean, value: unknown, values: Fields): unknown {
    return rendered ? value : structuredClone(this.literal(value, values));
  }

  /** A value as it is where Prefect fills no placeholders; the flow run's container goes without a name there. */
  private literal(value: any, values: Fields): any {
    const variable = ThreeWayMerge.variableOf(value);
    if (variable !== undefined) return values[variable];
    if (typeof value === 'string') return value.replace(PLACEHOLDERS, (_, name) => `${values[name] ?? ''}`);
    if (Array.isArray(value)) return value.map(entry => this.literal(entry, values));
    if (!areFields(value)) return value;
    return Object.fromEntries(Object.entries(value)
      .map(([field, inner]) => [field, this.literal(inner, values)])
      .filter(([, inner]) => inner !== undefined));
  }
}

function without(field: string, fields: Fields = {}): Fields {
  const { [field]: _, ...rest } = fields;
  return rest;
}

export function areFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** How the reasons begin of the tasks that the reconciler stops. */
export const STOPPED_BY_RECONCILER = 'Prefect reconciler: ';

/** The reason of the tasks that are stopped because their stack is deleted. Their flow runs go back to Prefect. */
export const STACK_IS_DELETED = 'The stack of its worker is deleted.';
